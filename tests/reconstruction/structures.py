"""Targets of structures, and comparisons of structures, for the tests of this folder."""

from __future__ import annotations

import numpy as np
import torch

from matvae.grid import Grid
from matvae.reconstruction.target import Target, read_target
from matvae.stats import two_point_stats

CPU = torch.device("cpu")


def target_of(labels: np.ndarray, phases: int = 2, periodic: bool = True, cutoff=None, correlations=None) -> Target:
    """Target read from the statistics of structures."""
    grid = Grid(labels.shape[1:], phases=phases, periodic=periodic)
    f = two_point_stats(
        labels, spatial_dims=grid.ndim, phases=phases, periodic=periodic, cutoff=cutoff, correlations=correlations
    )
    return read_target(f, grid, correlations, CPU)[0]


def fractions(labels: np.ndarray, phases: int) -> np.ndarray:
    """Numbers of voxels ``(sample, phase)`` of each phase."""
    return np.stack([np.bincount(structure.ravel(), minlength=phases) for structure in labels])


def same_but_for_symmetry(a: np.ndarray, b: np.ndarray) -> bool:
    """Test whether two structures are equal up to a periodic shift and an inversion."""
    axes = tuple(range(a.ndim))
    for candidate in (b, np.flip(b, axes)):
        for shift in np.ndindex(*a.shape):
            if np.array_equal(a, np.roll(candidate, shift, axes)):
                return True
    return False
