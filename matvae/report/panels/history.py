"""The course of the training."""

from __future__ import annotations

from ..curves import plot_history
from ..page import embed_figure
from ..panel import Figure, Panel, csv_data
from ..parts import ReportParts
from ..plots import load_matplotlib

GOOD = (
    "both curves fall and then level out together. A loss that is still falling at the end asks for longer training; "
    "an error of held-out structures that rises while the loss falls means that the model learns its training "
    "structures by heart."
)


def history_panel(parts: ReportParts) -> Panel:
    """Loss and held-out error against passes over the data."""
    if not parts.history:
        return Panel("history", "Training", GOOD, left_out="The model keeps no record of its training.")
    _, figure_class = load_matplotlib()
    figure = figure_class(figsize=(7.5, 3.6), dpi=110, layout="constrained")
    plot_history(figure.subplots(), parts.history)
    first, last = parts.history[0], parts.history[-1]
    fell = "" if first.get("loss") is None else f" The loss went from {first['loss']:.3g} to {last['loss']:.3g}."
    keys = list(dict.fromkeys(key for record in parts.history for key in record))
    return Panel(
        "history",
        "Training",
        GOOD,
        figures=(
            Figure(
                "training",
                embed_figure(figure),
                f"Line plot of loss and held-out error against {len(parts.history)} passes over the data.{fell}",
                "Training.",
                f"What was minimised, and the error of the statistics of structures held out from training.{fell}",
            ),
        ),
        data=(csv_data("training.csv", keys, ([record.get(key, "") for key in keys] for record in parts.history)),),
    )
