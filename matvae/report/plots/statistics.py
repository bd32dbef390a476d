"""Plots of 2-point statistics."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...grid import Grid
from ..style import COLOUR_MAP, INK, annotate_slice, spatial_axes


def plot_statistics(
    axes: Any,
    statistics: np.ndarray,
    *,
    grid: Grid | None = None,
    limits: tuple[float, float] | None = None,
) -> Any:
    """Draw one correlation: a line in 1-D, an image in 2-D, the slice through zero lag in 3-D.

    Parameters
    ----------
    axes : matplotlib Axes
    statistics : array ``(*lag)``
        Zero lag at n//2 along each axis.
    grid : Grid, optional
        Provides axis names, voxel size and unit.
    limits : (float, float), optional
        Limits of the colour scale, or of the y axis in 1-D.

    Returns
    -------
    matplotlib image or None
        The image, from which a colour bar can be made; None in 1-D.
    """
    names, sizes, unit = spatial_axes(grid or Grid(statistics.shape))
    if statistics.ndim == 1:
        lag = (np.arange(len(statistics)) - len(statistics) // 2) * sizes[0]
        axes.plot(lag, statistics, color=INK, linewidth=1)
        axes.set_xlabel(f"lag {names[0]} / {unit}")
        axes.set_ylabel("probability")
        if limits is not None:
            margin = 0.05 * (limits[1] - limits[0] or 1.0)
            axes.set_ylim(limits[0] - margin, limits[1] + margin)
        return None
    values = statistics
    if statistics.ndim == 3:
        values = statistics[len(statistics) // 2]
        annotate_slice(axes, f"lag {names[0]} = 0")
    (top, bottom), (left, right) = (
        ((-(n // 2) - 0.5) * size, (n - n // 2 - 0.5) * size) for n, size in zip(values.shape, sizes[-2:], strict=True)
    )
    low, high = limits or (None, None)
    image = axes.imshow(
        values, extent=(left, right, bottom, top), interpolation="nearest", cmap=COLOUR_MAP, vmin=low, vmax=high
    )
    axes.set_xlabel(f"lag {names[-1]} / {unit}")
    axes.set_ylabel(f"lag {names[-2]} / {unit}")
    return image


def plot_difference(axes: Any, statistics: np.ndarray, others: np.ndarray, *, grid: Grid | None = None) -> Any:
    """Draw the difference of two correlations, ``others - statistics``, on a scale symmetric about zero.

    Parameters
    ----------
    axes : matplotlib Axes
    statistics, others : array ``(*lag)``
    grid : Grid, optional
        Provides axis names, voxel size and unit.

    Returns
    -------
    matplotlib Axes
    """
    difference = np.asarray(others, dtype=float) - statistics
    largest = float(np.abs(difference).max()) or 1.0
    image = plot_statistics(axes, difference, grid=grid, limits=(-largest, largest))
    if image is None:
        axes.set_ylabel("difference")
        return axes
    image.set_cmap("RdBu_r")
    key = axes.figure.colorbar(image, ax=axes, shrink=0.85)
    key.set_label("difference of probability", fontsize=8)
    key.ax.tick_params(labelsize=7)
    return axes
