"""A small model of structures of many volume fractions, fitted once."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import StatsVAETransformer


def blobs(n, seed, size=12):
    """Smoothed noise, cut at many levels: labels ``(n, size, size)`` with volume fractions of 0.2 to 0.8."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((n, size, size))
    smooth = sum(np.roll(noise, (i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1))
    levels = [np.quantile(one, 1 - f) for one, f in zip(smooth, rng.uniform(0.2, 0.8, n), strict=True)]
    return (smooth > np.array(levels)[:, None, None]).astype(np.uint8)


@pytest.fixture(scope="session")
def training():
    """Labels ``(120, 12, 12)``."""
    return blobs(120, 0)


@pytest.fixture(scope="session")
def model(training):
    """Two components, enough to know the volume fraction."""
    return StatsVAETransformer(n_components=2, max_epochs=30, width=16, random_state=0).fit(training)
