"""Plot of a segmentation: grey values, the phases made from them, and the histogram with the thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..style import GREY, INK, SERIES, add_phase_legend, new_figure, structure_colours

# Grey values beyond these percentiles are drawn black and white, so that few extremes do not hide the contrast.
_SHOWN = (0.5, 99.5)
_BARS = 256


def plot_segmentation(
    grey: np.ndarray,
    labels: np.ndarray,
    *,
    phases: int,
    values: np.ndarray,
    counts: np.ndarray,
    thresholds: Sequence[float],
    mask: np.ndarray | None = None,
) -> Any:
    """Draw an image before and after segmentation, above the histogram of its grey values.

    Parameters
    ----------
    grey, labels : array ``(x,)`` or ``(y, x)``
        Grey values and phases.
    phases : int
    values, counts : array ``(bin,)``
        Histogram of the grey values from which the thresholds were found.
    thresholds : sequence of float
    mask : array of bool, optional
        Voxels that belong to the sample; the others are left blank.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    inside = np.ones(grey.shape, dtype=bool) if mask is None else mask
    grey, labels, inside = (np.atleast_2d(array) for array in (grey, labels, inside))
    low, high = np.percentile(grey[inside], _SHOWN) if inside.any() else (0, 1)
    figure = new_figure(9, 6.2)
    axes = figure.subplot_mosaic("ab;cc", height_ratios=(2, 1))
    pictures = {"a": (grey, {"cmap": "gray", "vmin": low, "vmax": high}), "b": (labels, structure_colours(phases))}
    for name, (image, colours) in pictures.items():
        axes[name].imshow(np.ma.masked_where(~inside, image), interpolation="nearest", **colours)
        axes[name].set_xlabel("x / voxel")
    axes["a"].set_ylabel("y / voxel")
    axes["a"].set_title("grey values", fontsize=10)
    shares = np.bincount(labels[inside].astype(int), minlength=phases) / max(1, inside.sum())
    axes["b"].set_title("phases of this picture", fontsize=10)
    _draw_histogram(axes["c"], values, counts, thresholds)
    # Light for phase 0, also where its grey values are dark.
    names = [f"{name}, {100 * share:.1f} %" for name, share in zip(_names(thresholds), shares, strict=True)]
    add_phase_legend(figure, phases, names)
    return figure


def _names(thresholds: Sequence[float]) -> list[str]:
    """Name phases by the grey values that they are made from."""
    bounds = [f"{threshold:.5g}" for threshold in thresholds]
    between = [f"{low} to {high}" for low, high in pairwise(bounds)]
    ranges = [f"below {bounds[0]}", *between, f"above {bounds[-1]}"]
    return [f"phase {phase}: grey values {values}" for phase, values in enumerate(ranges)]


def _draw_histogram(axes: Any, values: np.ndarray, counts: np.ndarray, thresholds: Sequence[float]) -> None:
    span = values[-1] - values[0]
    width = span / _BARS
    if (values == np.round(values)).all():
        # Bars that hold equally many whole numbers.
        width = np.ceil(max(1, width))
    axes.hist(values, bins=np.arange(values[0] - width / 2, values[-1] + width, width), weights=counts, color=GREY)
    for threshold in thresholds:
        axes.axvline(threshold, color=SERIES[1][0], linewidth=1.5)
        axes.annotate(
            f"{threshold:.5g}", (threshold, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom", color=INK
        )
    axes.set_xlabel("grey value")
    axes.set_ylabel("voxels")
