"""Structures for the tests: blobs of phases, made without the code under test."""

from __future__ import annotations

import numpy as np
import torch

from matvae.grid import Grid
from matvae.reconstruction.target import Target, read_target
from matvae.stats import two_point_stats

CPU = torch.device("cpu")


def target_of(labels: np.ndarray, phases: int = 2, periodic: bool = True, cutoff=None, correlations=None) -> Target:
    """What the statistics of structures ask for."""
    grid = Grid(labels.shape[1:], phases=phases, periodic=periodic)
    f = two_point_stats(labels, phases=phases, periodic=periodic, cutoff=cutoff, correlations=correlations)
    return read_target(f, grid, correlations, CPU)[0]


def fractions(labels: np.ndarray, phases: int) -> np.ndarray:
    """Voxels ``(sample, phase)`` of each phase."""
    return np.stack([np.bincount(one.ravel(), minlength=phases) for one in labels])


def same_but_for_symmetry(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether a structure is another one, shifted on the torus, or inverted and shifted."""
    axes = tuple(range(a.ndim))
    for one in (b, np.flip(b, axes)):
        for shift in np.ndindex(*a.shape):
            if np.array_equal(a, np.roll(one, shift, axes)):
                return True
    return False
