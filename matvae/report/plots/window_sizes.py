"""Plots of measures against the size of windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np

from ..style import GREY, SERIES, load_matplotlib, remove_frame

Values = Sequence[float | None]
STYLES = [*SERIES, (GREY, "P")]


def plot_window_sizes(
    axes: Any,
    edges: Sequence[float],
    measured: Mapping[str, Values],
    *,
    spread: Mapping[str, Values] | None = None,
    expected: Mapping[str, Values] | None = None,
    whole: Mapping[str, float | None] | None = None,
    chosen: float | None = None,
    unit: str = "voxel",
    log: bool = False,
) -> Any:
    """Draw measures of windows against their edge length.

    Parameters
    ----------
    axes : matplotlib Axes
    edges : sequence of float
        Edge length of each size of windows; of oblong windows, the edge of a cube or square of their volume.
    measured : mapping of str to sequence of (float or None)
        Label of each series to its values, one per size.
    spread : mapping, optional
        Standard deviation of each value, drawn as bars.
    expected : mapping, optional
        Values that theory gives, drawn as lines.
    whole : mapping, optional
        Value of the whole structures, drawn as dashed lines.
    chosen : float, optional
        Edge length to mark.
    unit : str
        Unit of the edge lengths.
    log : bool
        Whether the y axis is logarithmic.

    Returns
    -------
    matplotlib Axes
    """
    order = np.argsort(edges)
    x = np.asarray(edges, dtype=float)[order]

    def sorted_values(values: Values) -> np.ndarray:
        return np.array([np.nan if value is None else value for value in values])[order]

    for (label, values), (colour, marker) in zip(measured.items(), cycle(STYLES), strict=False):
        y = sorted_values(values)
        bars = None if spread is None else sorted_values(spread[label])
        line = "none" if expected is not None else "-"
        axes.errorbar(
            x,
            y,
            yerr=bars,
            color=colour,
            marker=marker,
            markersize=4,
            linewidth=1,
            linestyle=line,
            capsize=2,
            label=label,
        )
        if expected is not None:
            axes.plot(x, sorted_values(expected[label]), color=colour, linewidth=1)
        if whole is not None and whole[label] is not None:
            axes.axhline(whole[label], color=colour, linewidth=1, linestyle="--")
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    if log:
        load_matplotlib()
        from matplotlib.ticker import LogLocator

        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
    else:
        axes.set_ylim(bottom=0)
    if chosen is not None:
        axes.axvline(chosen, color=GREY, linewidth=1, linestyle=":")
    axes.set_xlabel(f"edge of a window / {unit}")
    axes.legend(frameon=False, fontsize=8)
    return remove_frame(axes)
