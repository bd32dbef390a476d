"""Results that have pictures: small ones in notebooks, and a figure by `plot`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from .grid import Grid
from .shown import Shown
from .validate import integer

# Structures in a figure, by default and at most, and in a notebook's table.
FEW, MOST, IN_TABLE = 4, 64, 4


@dataclass(frozen=True)
class Picture:
    """A structure, or a section of a volume.

    Parameters
    ----------
    image : array ``(y, x)`` or ``(x,)``
        Labels, or a continuous field; a masked array is blank where it is masked.
    grid : Grid
        Of the image.
    name : str
        Text above it.
    is_section : bool
        Whether it is a section of a volume.
    """

    image: np.ndarray
    grid: Grid
    name: str
    is_section: bool = False


class Pictured(Shown):
    """Base of results that have pictures."""

    @abstractmethod
    def pictures(self, n: int, *, all_sections: bool = False) -> list[Picture]:
        """Return pictures of the first `n` structures; with `all_sections`, three of every volume instead of one."""

    def pictures_remark(self) -> str:
        """Return what a reader has to know of the pictures in a notebook, such as why there are none."""
        return ""

    def plot(self, n: int = FEW, *, figure_style: str = "screen") -> Any:
        """Draw structures; of a volume, its central sections normal to each axis.

        Parameters
        ----------
        n : int
            Number of structures, the first of the set.
        figure_style : ``"screen"``, ``"single"`` or ``"double"``
            As wide as its contents need, or as one or two columns of a journal, with text of 7 points.

        Returns
        -------
        matplotlib.figure.Figure
            Notebooks show it; save it with ``figure.savefig``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        pictures = self.pictures(integer("n", n, 1, MOST), all_sections=True)
        return import_module("matvae.notebook").plot_pictures(pictures, figure_style)


def pictures_of(structures: Any, grid: Grid, names: Sequence[str], *, all_sections: bool = False) -> list[Picture]:
    """Pictures of structures, of which no more is read than is shown.

    Parameters
    ----------
    structures : array ``(sample, *space)``
        numpy or dask.
    grid : Grid
        Of one structure.
    names : sequence of str
        Of those structures to draw, the first of the set.
    all_sections : bool
        Draw three sections of every volume, instead of the one normal to the first axis.
    """
    return [
        Picture(np.asarray(structures[(i, *index)]), section, f"{name}{where}", grid.ndim == 3)
        for i, name in enumerate(names)
        for index, section, where in _sections(grid, all_sections)
    ]


def _sections(grid: Grid, all_sections: bool) -> Iterator[tuple[tuple[Any, ...], Grid, str]]:
    """Index, grid and name of the central sections of a volume, or of a structure in fewer dimensions as a whole."""
    axes = grid.axes or ()
    if grid.ndim < 3:
        yield (...,), replace(grid, origin=None), ""
        return
    for normal in range(3 if all_sections else 1):
        kept = [axis for axis in range(3) if axis != normal]
        middle = grid.shape[normal] // 2
        section = Grid(
            tuple(grid.shape[axis] for axis in kept),
            phases=grid.phases,
            axes=tuple(axes[axis] for axis in kept),
            voxel_size=None if grid.voxel_size is None else tuple(grid.voxel_size[axis] for axis in kept),
            unit=grid.unit,
        )
        index = tuple(middle if axis == normal else slice(None) for axis in range(3))
        where = f"{axes[normal]} = {middle * (grid.voxel_size or (1,) * 3)[normal]:g}"
        yield index, section, f", {where}{f' {grid.unit}' if grid.voxel_size and grid.unit else ''}"
