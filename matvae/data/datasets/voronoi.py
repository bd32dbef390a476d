"""Voronoi polycrystals: grains around random seeds, each of one orientation class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...errors import InputError
from ...grid import MAX_PHASES, Grid
from .parameters import integer, integer_range

# Voxels looked up at once; bounds the memory a large volume takes beside its labels.
_BLOCK = 1 << 20


class Voronoi:
    """Periodic Poisson-Voronoi polycrystal whose phases are orientation classes.

    Seeds are spread uniformly at random; a voxel belongs to the grain of its nearest seed, measured across
    the periodic border. Every grain gets one of the classes with equal chance, so neighbours may share one.

    Parameters
    ----------
    shape : sequence of int
        Voxels along one to three axes.
    n_grains : int or (int, int)
        Number of seeds, or the fewest and the most, each number equally likely.
    phases : int
        Number of orientation classes H.

    Raises
    ------
    InputError
        If there are fewer voxels than seeds, or if a value is out of range.
    """

    property_names = ("n_grains",)
    units: Mapping[str, str] = {}

    def __init__(
        self, shape: Sequence[int] = (64, 64), *, n_grains: int | tuple[int, int] = 32, phases: int = 4
    ) -> None:
        self.grid = Grid(tuple(shape), phases=integer("phases", phases, low=2, high=MAX_PHASES), periodic=True)
        self.n_grains = integer_range("n_grains", n_grains, low=1)
        if self.n_grains[1] > self.grid.n_voxels:
            raise InputError(
                f"{self.n_grains[1]} grains need at least as many voxels, but a structure of shape "
                f"{self.grid.shape} has {self.grid.n_voxels}. Ask for fewer grains or a larger size."
            )

    def sample(self, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, float]]:
        """Draw one structure ``(*space)``; its property is the number of grains that hold a voxel."""
        n = int(rng.integers(*self.n_grains, endpoint=True))
        seeds = rng.random((n, self.grid.ndim)) * self.grid.shape
        classes = rng.integers(self.grid.phases, size=n, dtype=np.uint8)
        grains = nearest_seed(seeds, self.grid.shape)
        n_occupied = np.count_nonzero(np.bincount(grains.ravel(), minlength=n))
        return classes[grains], {"n_grains": float(n_occupied)}


def nearest_seed(seeds: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Index ``(*space)`` of the seed nearest to each voxel on the torus.

    Parameters
    ----------
    seeds : (seed, axis) array
        Positions in voxels, ``0 <= seeds < shape``; voxel ``i`` lies at position ``i``.
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
