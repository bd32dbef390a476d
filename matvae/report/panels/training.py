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
GOOD_WITHOUT_ERROR = (
    "the loss falls and then levels off. If it is still falling at the end, train longer. No structures were held out; "
    "the sections below show whether the model memorises its training structures."
)
GOOD_CLOSED_FORM = (
    "the loss falls a little from that of PCA, with which the fit begins. Latents and decoder are fitted in turn, in "
    "closed form and in a fixed number of rounds, so that longer training is not possible. No structures were held "
    "out; the sections below show whether the model memorises its training structures."
)


def training_panel(parts: ReportParts) -> Panel:
    """Loss and, if structures were held out, their error, against epochs."""
    if not parts.history:
        return Panel("history", "Training", [Remark("The model has no record of its training.")], good=GOOD)
    held_out = any("validation_error" in record for record in parts.history)
    shown = "loss and the error of held-out structures" if held_out else "loss"
    rounds = f"{len(parts.history)} {'rounds of the fit' if parts.closed_form else 'epochs'}"
    without_error = GOOD_CLOSED_FORM if parts.closed_form else GOOD_WITHOUT_ERROR
    figure = new_figure(7.5, 3.6)
    axes = plot_history(figure.subplots(), parts.history)
    axes.set_ylabel("loss, relative error" if held_out else "loss")
    if parts.closed_form:
        axes.set_xlabel("round of the fit")
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
                f"Line plot of the {shown} against {rounds}.{change}",
                "Training.",
                f"The {shown}.{change}",
            ),
            csv_download("training.csv", keys, ([record.get(key, "") for key in keys] for record in parts.history)),
        ],
        good=GOOD if held_out else without_error,
    )
