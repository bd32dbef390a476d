"""The baselines of every model: the mean training statistics, and PCA of the training statistics."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from ..estimator import TwoPointPCA
from .errors import Scatter, StatisticsError
from .measure import RoundTrip


def pca_like(estimator: Any, n_components: int) -> TwoPointPCA:
    """Create an unfitted PCA of the statistics that a fitted model is trained on."""
    return TwoPointPCA(
        n_components,
        phases=estimator.grid_.phases,
        sample_shape=estimator.grid_.shape,
        correlations=estimator.correlations,
        periodic=estimator.periodic,
        cutoff=estimator.cutoff,
    )


def with_fewer(pca: TwoPointPCA, n_components: int) -> TwoPointPCA:
    """Copy a fitted PCA with its first components only, which are those that a fit with so many of them finds."""
    fewer = copy(pca).set_params(n_components=n_components)
    for name in ("components_", "explained_variance_", "explained_variance_ratio_"):
        setattr(fewer, name, getattr(pca, name)[:n_components])
    return fewer


class PCABaseline:
    """Errors of a fitted PCA on the structures that a model is measured on; an observer of `measure`.

    The statistics of each block are projected onto the components, so that nothing is computed or read twice.

    Parameters
    ----------
    pca : TwoPointPCA
        Fitted, with the correlations, cutoff and boundaries of the model (see `pca_like`).

    Attributes
    ----------
    mean_error : StatisticsError
        Of always predicting the mean statistics of PCA's training set.
    error : StatisticsError
        Of the statistics decoded from all of PCA's scores.
    """

    def __init__(self, pca: TwoPointPCA) -> None:
        self.pca = pca
        self.mean_error = StatisticsError()
        self.error = StatisticsError()
        self._mean = pca.mean_.astype(np.float64).ravel()
        self._components = pca.components_.reshape(len(pca.components_), -1).astype(np.float64)
        self._residual_squares = np.zeros(len(self._components) + 1)
        self._scores: list[np.ndarray] = []

    def __call__(self, trip: RoundTrip) -> None:
        """Add a block of structures."""
        f = trip.statistics
        deviations = f.reshape(len(f), -1) - self._mean
        scores = deviations @ self._components.T
        # Components are orthonormal: each reduces the squared error by the squares of its scores.
        explained = np.concatenate([[0.0], np.cumsum(np.square(scores).sum(axis=0))])
        self._residual_squares += np.square(deviations).sum() - explained
        self._scores.append(scores)
        # In double precision these take twice the memory of the statistics.
        del deviations
        self.mean_error.add(f, np.broadcast_to(self.pca.mean_, f.shape))
        self.error.add(f, np.asarray(self.pca.inverse_statistics(scores)).reshape(f.shape))

    @property
    def scores(self) -> np.ndarray:
        """PC scores ``(sample, component)``."""
        return np.concatenate(self._scores)

    def centred_errors(self, scatter: Scatter) -> np.ndarray | None:
        """Centred errors ``(component + 1,)`` with the first 0, 1, ... components; None where all statistics are equal.

        Parameters
        ----------
        scatter : Scatter
            Of the true statistics of the same structures.
        """
        if scatter.squares == 0:
            return None
        return np.sqrt(np.maximum(self._residual_squares, 0) / scatter.squares)
