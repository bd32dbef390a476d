"""Plot of the values in a file, before these are phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...grid import Grid
from ..style import new_figure
from .structures import plot_structure

# Inches.
SIDE, KEY = 3.6, 0.9


def plot_values(
    images: Sequence[np.ndarray], grids: Sequence[Grid], titles: Sequence[str], *, distinct: Sequence[float] | None
) -> Any:
    """Draw images of one file side by side, with one scale of their values.

    Parameters
    ----------
    images : sequence of array ``(y, x)`` or ``(x,)``
    grids : sequence of Grid
        Names of the axes, voxel size and unit of each image.
    titles : sequence of str
    distinct : sequence of float or None
        All values in ascending order if they are few, each of which then has a colour of its own; NaN is the last.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with ``figure.savefig``.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    figure = new_figure(SIDE * len(images) + KEY, SIDE, dpi=120)
    table = figure.subplots(1, len(images), squeeze=False)[0]
    is_listed = distinct is not None and len(distinct) > 1
    for axes, image, grid, title in zip(table, images, grids, titles, strict=True):
        values, phases = image, 1
        if distinct is not None and is_listed:
            values, phases = np.searchsorted(distinct, image), len(distinct)
        plot_structure(axes, values, grid=replace(grid, phases=phases))
        axes.set_title(title, fontsize=9)
    drawn = [image for axes in table for image in axes.images]
    if not drawn:
        return figure
    if distinct is not None and is_listed:
        key = figure.colorbar(drawn[0], ax=list(table), ticks=range(len(distinct)), label="value")
        key.ax.set_yticklabels([f"{value:g}" for value in distinct])
        return figure
    low, high = min(float(np.nanmin(image)) for image in images), max(float(np.nanmax(image)) for image in images)
    for image in drawn:
        image.set_clim(low, high)
    figure.colorbar(drawn[0], ax=list(table), label="value")
    return figure
