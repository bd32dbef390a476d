"""Voronoi polycrystals: grains around random seeds, each with one of several orientation classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...errors import InputError
from ...grid import MAX_PHASES, Grid
from ...validate import integer
from .parameters import integer_range

# Voxels per query; limits the memory that a large volume needs in addition to its labels.
_BLOCK = 1 << 20


class Voronoi:
    """Periodic Poisson-Voronoi polycrystal whose phases are orientation classes.

    Seeds are distributed uniformly at random; a voxel belongs to the grain of its nearest seed, with periodic
    distances. Every grain is assigned one of the classes with equal probability, so that neighbours may share one.

    Parameters
    ----------
    shape : sequence of int
        Voxels along one to three axes.
    n_grains : int or (int, int)
        Number of seeds, or the smallest and the largest number, each equally likely.
    phases : int
        Number of orientation classes H.

    Raises
    ------
    InputError
        If there are more seeds than voxels, or if a value is out of range.
    """

    property_names = ("n_grains",)
    units: Mapping[str, str] = {}

    def __init__(
        self, shape: Sequence[int] = (64, 64), *, n_grains: int | tuple[int, int] = 32, phases: int = 4
    ) -> None:
        self.grid = Grid(tuple(shape), phases=integer("phases", phases, 2, MAX_PHASES), periodic=True)
        self.n_grains = integer_range("n_grains", n_grains, low=1)
        if self.n_grains[1] > self.grid.n_voxels:
            raise InputError(
                f"{self.n_grains[1]} grains need at least as many voxels, but a structure of shape {self.grid.shape} "
                f"has only {self.grid.n_voxels}. Choose fewer grains or a larger size."
            )

    def sample(self, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, float]]:
        """Draw one structure ``(*space)``; its property is the number of grains with at least one voxel."""
        n = int(rng.integers(*self.n_grains, endpoint=True))
        seeds = rng.random((n, self.grid.ndim)) * self.grid.shape
        classes = rng.integers(self.grid.phases, size=n, dtype=np.uint8)
        grains = nearest_seed(seeds, self.grid.shape)
        n_occupied = np.count_nonzero(np.bincount(grains.ravel(), minlength=n))
        return classes[grains], {"n_grains": float(n_occupied)}


def nearest_seed(seeds: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the index ``(*space)`` of the seed nearest to each voxel, with periodic distances.

    Parameters
    ----------
    seeds : (seed, axis) array
        Positions in voxels, ``0 <= seeds < shape``; voxel ``i`` is at position ``i``.
    shape : tuple of int
        Voxels along each axis.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(seeds, boxsize=shape)
    nearest = np.empty(int(np.prod(shape)), np.int32)
    for start in range(0, nearest.size, _BLOCK):
        flat = np.arange(start, min(start + _BLOCK, nearest.size))
        nearest[flat] = tree.query(np.stack(np.unravel_index(flat, shape), axis=-1))[1]
    return nearest.reshape(shape)
