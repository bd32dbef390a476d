"""Intermediate pipeline steps: PyMKS's statistics, and the check and conversion of statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from matvae.errors import InputError
from matvae.estimator.fitted import lazily
from matvae.stats.lags import Cutoff

from .conventions import to_matvae_statistics
from .originals import TwoPointCorrelation
from .transformers import StatelessMixin


class StructureStatistics(TwoPointCorrelation):
    """PyMKS's statistics of states; its inverse converts the labels that a reducer generates to states.

    Parameters
    ----------
    correlations, periodic_boundary, cutoff
        As in PyMKS's `TwoPointCorrelation`.
    sample_shape : tuple of int
        Shape of one structure, which cannot be inferred from cropped statistics.
    n_state : int
        Number of local states.
    """

    def __init__(
        self,
        correlations: Sequence[Sequence[int]] | None,
        periodic_boundary: bool,
        cutoff: int | None,
        sample_shape: Sequence[int],
        n_state: int,
    ) -> None:
        super().__init__(correlations=correlations, periodic_boundary=periodic_boundary, cutoff=cutoff)
        self.sample_shape = sample_shape
        self.n_state = n_state

    def transform(self, states: Any) -> Any:
        """Compute PyMKS's statistics ``(sample, *lag, correlation)`` of states ``(sample, *space, state)``.

        Raises
        ------
        InputError
            If structures have another shape.
        """
        if tuple(states.shape[1:-1]) != tuple(self.sample_shape):
            raise InputError(
                f"Structures of shape {tuple(self.sample_shape)} are expected, according to sample_shape, but "
                f"structures of shape {tuple(states.shape[1:-1])} were given. Pass the shape of one structure."
            )
        return super().transform(states)

    def inverse_transform(self, labels: Any) -> Any:
        """Convert labels ``(sample, *space)`` to states ``(sample, *space, state)``, numpy or lazy dask."""
        states = np.arange(self.n_state)
        shape = (*labels.shape[1:], self.n_state)
        return lazily(labels, lambda block: (block[..., None] == states).astype(float), shape, np.dtype(float))


class StatisticsCheck(StatelessMixin, TransformerMixin, BaseEstimator):
    """Conversion of statistics of any convention that `check_statistics` recognises to that of matvae.

    Parameters
    ----------
    sample_shape : tuple of int
        Shape of one structure.
    correlations : list of (int, int)
        Pairs of local states.
    periodic : bool
        Whether the statistics are periodic.
    cutoff : int or sequence of int, optional
        Lags to keep, in voxels.
    """

    def __init__(
        self,
        sample_shape: Sequence[int],
        correlations: Sequence[Sequence[int]] | None = None,
        periodic: bool = True,
        cutoff: Cutoff = None,
    ) -> None:
        self.sample_shape = sample_shape
        self.correlations = correlations
        self.periodic = periodic
        self.cutoff = cutoff

    def fit(self, X: Any, y: Any = None) -> StatisticsCheck:
        """Return the step; it has nothing to learn."""
        return self

    def transform(self, X: Any) -> Any:
        """Convert and crop statistics to ``(sample, *lag, correlation)``, numpy or lazy dask.

        Raises
        ------
        InputError
            As in `to_matvae_statistics`.
        """
        return to_matvae_statistics(
            X,
            sample_shape=self.sample_shape,
            cutoff=self.cutoff,
            periodic=self.periodic,
            correlations=self.correlations,
        )

    def inverse_transform(self, X: Any) -> Any:
        """Return the input, because the inverse of a reducer yields structures, not statistics."""
        return X
