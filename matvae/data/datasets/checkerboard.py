"""Checkerboards: structures whose 2-point statistics are known exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...errors import InputError
from ...grid import Grid
from ...validate import integer


class Checkerboard:
    """Periodic two-phase checkerboard of cubic cells, shifted at random in every sample.

    Parameters
    ----------
    shape : sequence of int
        Voxels along one to three axes, each a multiple of ``2 * cell`` so that the pattern is periodic.
    cell : int
        Edge length of a cell in voxels.

    Raises
    ------
    InputError
        If an axis is not a multiple of ``2 * cell``.
    """

    property_names = ("cell",)
    units: Mapping[str, str] = {"cell": "voxel"}

    def __init__(self, shape: Sequence[int] = (64, 64), *, cell: int = 8) -> None:
        self.grid = Grid(tuple(shape), phases=2, periodic=True)
        self.cell = integer("cell", cell, 1)
        if any(n % (2 * self.cell) for n in self.grid.shape):
            raise InputError(
                f"The axes of a checkerboard must be multiples of two cells ({2 * self.cell} voxels), "
                f"but size {'x'.join(str(n) for n in self.grid.shape)} was given. Change the size or the cell."
            )

    def sample(self, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, float]]:
        """Draw one structure ``(*space)``; its property is the edge length of the cells."""
        shifts = rng.integers(2 * self.cell, size=self.grid.ndim)
        cells = [(np.arange(n) + shift) // self.cell for n, shift in zip(self.grid.shape, shifts, strict=True)]
        # A sparse mesh broadcasts, so that only the sum over the axes has the full size.
        parity = sum(np.meshgrid(*cells, indexing="ij", sparse=True)) % 2
        return np.asarray(parity, np.uint8), {"cell": float(self.cell)}
