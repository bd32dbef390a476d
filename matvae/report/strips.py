"""Several structures or statistics side by side on one axes, sections of a volume, and differences of statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from ..grid import Grid
from .plots import MAP, plot_statistics, plot_structure, structure_colours

# Room between two pictures, and height of a 1-D structure, as parts of a picture's width.
GAP, BAND = 0.08, 0.2


def plot_strip(
    axes: Any,
    pictures: Sequence[np.ndarray] | np.ndarray,
    names: Sequence[Any],
    *,
    phases: int | None = None,
    limits: tuple[float, float] | None = None,
) -> Any:
    """Draw structures, or statistics, side by side in one scale, without axes of their own.

    Parameters
    ----------
    axes : matplotlib Axes
    pictures : array ``(picture, *space)`` or ``(picture, *lag)``
        In 1-D each is a band, in 3-D its middle slice is drawn.
    names : sequence
        What stands above each picture.
    phases : int, optional
        Number of phases, where these are labels; by default values have a scale of colours.
    limits : (float, float), optional
        Values of the first and the last colour; by default the least and the largest value there is.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        If there is no picture, or not one name a picture.
    """
    if len(pictures) == 0 or len(pictures) != len(names):
        raise InputError(
            f"At least one picture and a name for each are expected, but there are {len(pictures)} pictures and "
            f"{len(names)} names."
        )
    images = [_image(np.asarray(picture)) for picture in pictures]
    high, wide = images[0].shape
    gap = max(1, round(GAP * wide))
    canvas = np.full((high, len(images) * (wide + gap) - gap), np.nan)
    for place, image in enumerate(images):
        start = place * (wide + gap)
        canvas[:, start : start + wide] = image
    if phases is None:
        low, most = limits or (float(np.nanmin(canvas)), float(np.nanmax(canvas)))
        colours: dict[str, Any] = {"cmap": MAP, "vmin": low, "vmax": most}
    else:
        colours = structure_colours(phases)
    axes.imshow(np.ma.masked_invalid(canvas), interpolation="nearest", aspect="equal", **colours)
    centres = [place * (wide + gap) + (wide - 1) / 2 for place in range(len(images))]
    axes.set_xticks(centres, labels=[str(name) for name in names], fontsize=8)
    axes.set_yticks([])
    axes.tick_params(length=0, bottom=False, top=False, labelbottom=False, labeltop=True, pad=2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def plot_sections(axes: Sequence[Any], structure: np.ndarray, *, grid: Grid | None = None) -> Sequence[Any]:
    """Draw the three orthogonal sections through the middle of a volume.

    Parameters
    ----------
    axes : sequence of three matplotlib Axes
    structure : array ``(z, y, x)``
        Labels, or a continuous field.
    grid : Grid, optional
        Gives phases, axis names, voxel size and unit.

    Returns
    -------
    sequence of matplotlib Axes

    Raises
    ------
    InputError
        If the structure is no volume, or there are not three axes.
    """
    if structure.ndim != 3 or len(axes) != 3:
        raise InputError(
            f"A volume (z, y, x) and three axes are expected, but the shape is {structure.shape} and there are "
            f"{len(axes)} axes."
        )
    labels = structure.dtype.kind != "f"
    grid = grid or Grid(structure.shape, phases=max(2, int(structure.max()) + 1) if labels else 1)
    names = grid.axes or ()
    for across, one in enumerate(axes):
        kept = [axis for axis in range(3) if axis != across]
        flat = Grid(
            tuple(grid.shape[axis] for axis in kept),
            phases=grid.phases,
            axes=tuple(names[axis] for axis in kept),
            voxel_size=None if grid.voxel_size is None else tuple(grid.voxel_size[axis] for axis in kept),
            unit=grid.unit,
        )
        plot_structure(one, structure.take(grid.shape[across] // 2, axis=across), grid=flat)
        one.set_title(f"across {names[across]}, in the middle", fontsize=9)
    return axes


def plot_difference(axes: Any, statistics: np.ndarray, others: np.ndarray, *, grid: Grid | None = None) -> Any:
    """Draw the difference of two correlations, ``others - statistics``: 0 is white, or the axis in 1-D.

    Parameters
    ----------
    axes : matplotlib Axes
    statistics, others : array ``(*lag)``
    grid : Grid, optional
        Gives axis names, voxel size and unit.

    Returns
    -------
    matplotlib Axes
    """
    difference = np.asarray(others, dtype=float) - statistics
    most = float(np.abs(difference).max()) or 1.0
    drawn = plot_statistics(axes, difference, grid=grid, limits=(-most, most))
    if drawn is None:
        axes.set_ylabel("difference")
        return axes
    drawn.set_cmap("RdBu_r")
    axes.figure.colorbar(drawn, ax=axes, shrink=0.85)
    return axes


def _image(picture: np.ndarray) -> np.ndarray:
    """What is drawn of a picture: 1-D a band, 3-D the middle slice."""
    if picture.ndim == 1:
        return np.broadcast_to(picture, (max(1, round(BAND * len(picture))), len(picture)))
    return picture[len(picture) // 2] if picture.ndim == 3 else picture
