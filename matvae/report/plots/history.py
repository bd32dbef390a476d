"""Training curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from ...validate import choice
from ..style import GREY, SERIES, load_matplotlib, remove_frame

DEFAULT_KEYS = {"loss": "loss", "validation_error": "error of held-out structures"}
# Longer histories are drawn without markers.
MOST_MARKERS = 30


def plot_history(
    axes: Any,
    history: Sequence[Mapping[str, Any]],
    *,
    keys: Mapping[str, str] | None = None,
    minutes: bool = False,
    scale: str = "log",
) -> Any:
    """Draw quantities recorded during training against epochs or time.

    Parameters
    ----------
    axes : matplotlib Axes
    history : sequence of dict
        Training records: ``history_`` of an estimator.
    keys : mapping of str to str, optional
        Keys of the records and their labels; by default the loss and the error of held-out structures.
    minutes : bool
        Whether the x axis is the time of training (from ``seconds``, which every record must then have) in place of
        the epoch.
    scale : ``"log"`` or ``"linear"``
        Scale of the y axis; a linear one starts at zero.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        If `scale` is something else.
    """
    choice("scale", scale, ("log", "linear"))
    styles = cycle([*SERIES, (GREY, "P")])
    for (key, label), (colour, marker) in zip((keys or DEFAULT_KEYS).items(), styles, strict=False):
        points = [
            (record["seconds"] / 60 if minutes else epoch, record[key])
            for epoch, record in enumerate(history, 1)
            if record.get(key) is not None
        ]
        if points:
            x, y = zip(*points, strict=True)
            axes.plot(x, y, color=colour, marker=marker if len(x) < MOST_MARKERS else "", markersize=3, label=label)
    if axes.lines:
        axes.set_yscale(scale)
        if scale == "log":
            load_matplotlib()
            from matplotlib.ticker import LogLocator

            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("")
        else:
            axes.set_ylim(0, 1.1 * max(max(line.get_ydata()) for line in axes.lines))
        axes.legend(frameon=False, fontsize=8)
    if minutes:
        axes.set_xlim(left=0)
        axes.set_xlabel("minutes of training")
    else:
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
    return remove_frame(axes)
