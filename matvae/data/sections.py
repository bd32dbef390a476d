"""Sections through the centre of a structure, of which no more is read than is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..grid import Grid

# Longer sides are cut to their middle.
MOST_VOXELS = 2048


@dataclass(frozen=True)
class Section:
    """A section through a structure.

    Parameters
    ----------
    image : array ``(y, x)`` or ``(x,)``
        Values as they are in the array.
    grid : Grid
        Of the image, whose values are taken for a continuous field.
    normal : str or None
        Axis normal to the section; None for a structure in two dimensions or one.
    """

    image: np.ndarray
    grid: Grid
    normal: str | None


def central_sections(array: Any, grid: Grid, *, most: int = MOST_VOXELS, only_first: bool = False) -> list[Section]:
    """Read the central section of the first structure normal to each axis; structures of less axes are shown whole.

    Parameters
    ----------
    array : LazyArray or dask array ``(sample, *space)``
    grid : Grid
        Names of the axes, voxel size and unit of one structure.
    most : int
        Voxels along one side of an image, around its middle.
    only_first : bool
        Read only the section normal to the first axis, which is the one that most files read fastest.
    """
    if grid.ndim < 3:
        return [_section(array, grid, None, most)]
    return [_section(array, grid, normal, most) for normal in ((0,) if only_first else range(grid.ndim))]


def _section(array: Any, grid: Grid, normal: int | None, most: int) -> Section:
    index: list[Any] = []
    for axis, length in enumerate(grid.shape):
        start = max(0, (length - most) // 2)
        index.append(length // 2 if axis == normal else slice(start, min(length, start + most)))
    image = np.asarray(array[(0, *index)])
    kept = [axis for axis in range(grid.ndim) if axis != normal]
    names = grid.axes or ()
    voxel_size = None if grid.voxel_size is None else tuple(grid.voxel_size[axis] for axis in kept)
    axes = tuple(names[axis] for axis in kept)
    of_image = Grid(image.shape, phases=1, axes=axes, voxel_size=voxel_size, unit=grid.unit)
    return Section(image, of_image, None if normal is None else names[normal])
