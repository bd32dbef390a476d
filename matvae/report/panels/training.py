"""The training of the model."""

from __future__ import annotations

from ..html import embed_figure
from ..page import Figure, Panel, Remark, csv_download
from ..parts import ReportParts
from ..plots import plot_history
from ..style import new_figure

GOOD = (
    "both curves fall and then level off together. A loss that is still falling at the end calls for longer training; "
    "an error of held-out structures that rises while the loss falls indicates that the model memorises its training "
    "structures."
)


def training_panel(parts: ReportParts) -> Panel:
    """Loss and error of held-out structures against epochs."""
    if not parts.history:
        return Panel("history", "Training", [Remark("The model has no record of its training.")], good=GOOD)
    figure = new_figure(7.5, 3.6)
    plot_history(figure.subplots(), parts.history).set_ylabel("loss, relative error")
    first, last = (record.get("loss") for record in (parts.history[0], parts.history[-1]))
    change = "" if first is None or last is None else f" The loss went from {first:.3g} to {last:.3g}."
    keys = list(dict.fromkeys(key for record in parts.history for key in record))
    return Panel(
        "history",
        "Training",
        [
            Figure(
                "figure-training",
                embed_figure(figure),
                f"Line plot of the loss and the error of held-out structures against {len(parts.history)} epochs."
                f"{change}",
                "Training.",
                f"The loss, and the error of the statistics of structures held out from training.{change}",
            ),
            csv_download("training.csv", keys, ([record.get(key, "") for key in keys] for record in parts.history)),
        ],
        good=GOOD,
    )
