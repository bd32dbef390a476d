"""Errors of statistics at all lags and at short ones, summarised over a set block by block.

Most lags are long ones, so that an error at all lags hardly sees interfaces and nearest features: a quarter and a half
of the largest lag are reported beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..estimator import TwoPointPCA
from .errors import StatisticsError
from .lag_errors import lag_errors
from .measure import RoundTrip

ALL = "all"
# Radii of the balls of short lags, as divisors of the largest lag: 8 and 16 of 32 voxels.
DIVISORS = (4, 2)

Summary = dict[str, dict[str, float]]


def short_lags(lag_shape: Sequence[int]) -> tuple[int, ...]:
    """Radii in voxels of the balls of short lags: a quarter and a half of the largest lag ``min(n // 2)``."""
    largest = min(n // 2 for n in lag_shape)
    return tuple(sorted({largest // divisor for divisor in DIVISORS} - {0, largest}))


class LagErrors:
    """Errors per structure (see `lag_errors`), collected block by block.

    Parameters
    ----------
    mean : array ``(*lag, correlation)``
        Statistics of the prediction that has the centred error 1: those of the training mean.
    """

    def __init__(self, mean: np.ndarray) -> None:
        self.mean = mean
        self.max_lags = short_lags(mean.shape[:-1])
        self._blocks: list[dict[str, dict[str, np.ndarray]]] = []

    def add(self, f: np.ndarray, g: np.ndarray) -> None:
        """Add true and approximate statistics ``(sample, *lag, correlation)``; `g` may be a single sample."""
        self._blocks.append(lag_errors(f, g, mean=self.mean, max_lags=self.max_lags))

    def summary(self) -> Summary | None:
        """Median of each error over the set; None if nothing was added.

        Medians, since a structure of almost a single phase has an arbitrarily large relative error.

        Returns
        -------
        dict of str to dict
            ``"all"`` and each radius, such as ``"8"``, to ``centred``, ``relative`` and ``mean_absolute``, as
            `lag_errors` defines them.
        """
        if not self._blocks:
            return None
        return {
            lags: {kind: float(np.median(self._joined(lags, kind))) for kind in kinds}
            for lags, kinds in self._blocks[0].items()
        }

    def _joined(self, lags: str, kind: str) -> np.ndarray:
        return np.concatenate([block[lags][kind] for block in self._blocks])


class DecodedErrors:
    """Errors of one approximation of the statistics; an observer of `measure`.

    Parameters
    ----------
    approximate : callable
        Takes a `RoundTrip` to approximate statistics ``(sample, *lag, correlation)`` of its structures.
    mean : array ``(*lag, correlation)``
        As in `LagErrors`.

    Attributes
    ----------
    pooled : StatisticsError
    by_lag : LagErrors
    """

    def __init__(self, approximate: Callable[[RoundTrip], np.ndarray], mean: np.ndarray) -> None:
        self.approximate = approximate
        self.pooled = StatisticsError()
        self.by_lag = LagErrors(mean)

    def __call__(self, trip: RoundTrip) -> None:
        """Add a block of structures."""
        approximation = self.approximate(trip)
        self.pooled.add(trip.statistics, approximation)
        self.by_lag.add(trip.statistics, approximation)

    @classmethod
    def of_mean(cls, mean: np.ndarray) -> DecodedErrors:
        """Errors of always predicting the training mean."""
        return cls(lambda trip: np.broadcast_to(mean, trip.statistics.shape), mean)

    @classmethod
    def of_model(cls, mean: np.ndarray) -> DecodedErrors:
        """Errors of the statistics that the measured estimator decodes."""
        return cls(lambda trip: trip.decoded_statistics, mean)

    @classmethod
    def of_reconstructions(cls, mean: np.ndarray) -> DecodedErrors:
        """Errors of the statistics of reconstructions."""
        return cls(lambda trip: trip.reconstructed_statistics, mean)

    @classmethod
    def of_pca(cls, pca: TwoPointPCA) -> DecodedErrors:
        """Errors of a fitted PCA in any metric, without computing statistics a second time."""
        return cls(lambda trip: np.asarray(pca.inverse_statistics(pca.scores_of(trip.statistics))), pca.mean_)


def another_window(f: np.ndarray, mean: np.ndarray) -> Summary | None:
    """Errors of taking another true structure for each: the floor, below which the material itself varies.

    Parameters
    ----------
    f : array ``(sample, *lag, correlation)``
        True statistics; every pair of two structures is compared. Overlapping structures make the floor too low.
    mean : array ``(*lag, correlation)``
        As in `LagErrors`.

    Returns
    -------
    dict or None
        As from `LagErrors.summary`; None for a single structure.
    """
    errors = LagErrors(mean)
    for i in range(len(f) if len(f) > 1 else 0):
        errors.add(np.delete(f, i, axis=0), f[i : i + 1])
    return errors.summary()
