"""The course of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .comparison import STYLES
from .plots import load_matplotlib
from .scatter import bare


def plot_history(axes: Any, history: Sequence[Mapping[str, Any]], *, keys: Mapping[str, str] | None = None) -> Any:
    """Draw numbers of a training against its passes over the data, on a logarithmic scale.

    Parameters
    ----------
    axes : matplotlib Axes
    history : sequence of dict
        Records of a training: ``history_`` of an estimator.
    keys : mapping of str to str, optional
        Names in the records, and what they are called; by default the loss and the error of held-out structures.

    Returns
    -------
    matplotlib Axes
    """
    load_matplotlib()
    from matplotlib.ticker import LogLocator

    keys = keys or {"loss": "loss", "validation_error": "error of held-out structures"}
    for (key, called), (colour, marker) in zip(keys.items(), STYLES * len(keys), strict=False):
        points = [(i, record[key]) for i, record in enumerate(history, 1) if record.get(key) is not None]
        if points:
            x, y = zip(*points, strict=True)
            axes.plot(x, y, color=colour, marker=marker if len(x) < 30 else "", markersize=3, label=called)
    if axes.lines:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
        axes.legend(frameon=False, fontsize=8)
    axes.set_xlabel("pass over the data")
    axes.xaxis.get_major_locator().set_params(integer=True)
    return bare(axes)
