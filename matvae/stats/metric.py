"""Metrics of 2-point statistics: how much a difference counts at each lag.

Most lags are long ones, where a single window differs from its material mostly by chance, so that a plain distance
hardly sees the volume fraction at lag zero and the short lags that hold specific surface and feature size. The lag
metric gives lag zero, short, medium and all lags the same variance over a training set.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PLAIN, LAGS = "plain", "lags"
METRICS = (PLAIN, LAGS)
# Radii of the balls of lags that get equal variance, as fractions of the largest lag.
RADII = (0.0, 0.25, 0.5)


def lag_lengths(lag_shape: Sequence[int]) -> np.ndarray:
    """Euclidean lengths ``(*lag)``, in voxels, of lags with zero lag at index n//2 along every axis."""
    axes = [np.arange(n) - n // 2 for n in lag_shape]
    return np.sqrt(sum(np.square(axis, dtype=float) for axis in np.meshgrid(*axes, indexing="ij")))


def lag_balls(lag_shape: Sequence[int]) -> list[np.ndarray]:
    """Masks ``(*lag)`` of lag zero, short, medium and all lags: up to a quarter and a half of the largest lag."""
    lengths = lag_lengths(lag_shape)
    largest = max(n // 2 for n in lag_shape)
    return [*(lengths <= fraction * largest for fraction in RADII), np.ones(lengths.shape, dtype=bool)]


def lag_weights(variance: np.ndarray, metric: str = LAGS) -> np.ndarray:
    """Weights of squared differences of statistics at each lag.

    Parameters
    ----------
    variance : array ``(*lag, correlation)``
        Variance of the statistics over a training set.
    metric : ``"lags"`` or ``"plain"``
        With ``"lags"``, the balls of lag zero, short, medium and all lags (`lag_balls`) each contribute the same
        variance; with ``"plain"``, every lag has the weight one.

    Returns
    -------
    array ``(*lag, correlation)``
        Scaled such that the total variance stays what it is.
    """
    weights = np.zeros(variance.shape)
    if metric == LAGS:
        for ball in lag_balls(variance.shape[:-1]):
            within = float(variance[ball].sum())
            if within > 0:
                weights[ball] += 1 / within
    total = float((weights * variance).sum())
    # Without any variance no lag is more informative than another.
    return weights * (float(variance.sum()) / total) if total > 0 else np.ones(variance.shape)
