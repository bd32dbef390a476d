"""Structures shared by the tests of several folders."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from matvae.data.datasets.lines import Lines


def blobs(
    n: int, shape: tuple[int, ...], phases: int = 2, seed: int = 0, *, width: float = 1.5, volume_fraction: Any = None
) -> np.ndarray:
    """Periodic smoothed noise cut into phases: labels ``(sample, *space)`` of type uint8.

    `width` is the standard deviation of the smoothing in voxels. `volume_fraction` is that of phase 1 in a
    two-phase structure, one value for all samples or one per sample; by default the phases have unequal volume
    fractions, which are the same in every sample.
    """
    noise = np.random.default_rng(seed).standard_normal((n, *shape))
    fields = np.stack([ndimage.gaussian_filter(field, width, mode="wrap") for field in noise])
    if volume_fraction is None:
        cuts = np.tile(np.linspace(0, 1, phases + 1)[1:-1] ** 0.8, (n, 1))
    else:
        cuts = np.broadcast_to(1 - np.asarray(volume_fraction, dtype=float), n)[:, None]
    labels = [np.digitize(field, np.quantile(field, levels)) for field, levels in zip(fields, cuts, strict=True)]
    return np.stack(labels).astype(np.uint8)


def lines(n: int, size: int = 32, seed: int = 0, n_lines: tuple[int, int] = (1, 4)) -> np.ndarray:
    """Images ``(sample, y, x)`` of the data set ``lines``."""
    generator = Lines((size, size), n_lines=n_lines)
    rng = np.random.default_rng(seed)
    return np.stack([generator.sample(rng)[0] for _ in range(n)])


def one_hot(labels: Any, phases: int, axis: int = -1) -> np.ndarray:
    """Indicators of the phases (0.0 or 1.0) along a new axis."""
    return np.stack([np.asarray(labels) == phase for phase in range(phases)], axis=axis).astype(float)
