"""Small structures for the checks, of odd and even sizes in one to three dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..grid import DEFAULT_AXES
from ..stats import Statistic, default_correlations

SHAPES = ((9,), (6, 5), (4, 5, 6))
PHASES = 3


def labels_of(shape: tuple[int, ...], n: int = 4, seed: int = 0) -> np.ndarray:
    """Return random labels ``(sample, *space)`` uint8 of three phases, each of which occurs in every sample."""
    labels = np.random.default_rng(seed).integers(0, PHASES, (n, *shape)).astype(np.uint8)
    labels.reshape(n, -1)[:, :PHASES] = np.arange(PHASES)
    return labels


def states_of(labels: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
    """Return discretised states ``(sample, *space, state)`` of 0 and 1."""
    return np.eye(PHASES, dtype=dtype)[labels]


def coordinates_of(statistic: Statistic, shape: tuple[int, ...], **options: Any) -> Mapping[str, np.ndarray]:
    """Return the coordinates of the statistic of structures of a given shape."""
    return statistic.coordinates(shape, DEFAULT_AXES[len(shape)], **options)


def columns_of(statistic: Statistic) -> int:
    """Return the default length of the last axis for structures of three phases."""
    return PHASES if statistic.column == "phase" else len(default_correlations(PHASES))
