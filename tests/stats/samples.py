"""Structures shared by the tests of the statistics."""

from __future__ import annotations

import numpy as np

SHAPES = [(7,), (8,), (6, 5), (4, 7), (4, 3, 5), (2, 4, 4)]


def labels_of(space: tuple[int, ...], phases: int = 3, n: int = 4, seed: int = 0) -> np.ndarray:
    labels = np.random.default_rng(seed).integers(0, phases, (n, *space)).astype(np.uint8)
    labels.flat[0] = phases - 1
    return labels


def zero_lag(f: np.ndarray, periodic: bool = True) -> np.ndarray:
    """Return the values ``(sample, correlation)`` at zero lag, at the centre of the array in both conventions."""
    return f[(slice(None), *(n // 2 for n in f.shape[1:-1]))]
