"""The steps before the last of a pipeline: PyMKS's statistics with a way back, and a check of statistics."""

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
    """PyMKS's statistics of states; on the way back it makes states of the labels that a reducer makes of latents.

    Parameters
    ----------
    correlations, periodic_boundary, cutoff
        As in PyMKS's `TwoPointCorrelation`.
    sample_shape : tuple of int
        Shape of one structure: what a window of statistics does not tell any more.
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
        """Give PyMKS's statistics ``(sample, *lag, correlation)`` of states ``(sample, *space, state)``.

        Raises
        ------
        InputError
            For structures of another shape.
        """
        if tuple(states.shape[1:-1]) != tuple(self.sample_shape):
            raise InputError(
                f"Structures of shape {tuple(self.sample_shape)} are expected, as sample_shape says, but structures of "
                f"shape {tuple(states.shape[1:-1])} were given. Pass the shape of one structure."
            )
        return super().transform(states)

    def inverse_transform(self, labels: Any) -> Any:
        """Give states ``(sample, *space, state)`` of labels ``(sample, *space)``, numpy or lazy dask."""
        states = np.arange(self.n_state)
        shape = (*labels.shape[1:], self.n_state)
        return lazily(labels, lambda block: (block[..., None] == states).astype(float), shape, np.dtype(float))


class StatisticsCheck(StatelessMixin, TransformerMixin, BaseEstimator):
    """Statistics of any convention that `check_statistics` knows, as matvae's; refuses what is none.

    Parameters
    ----------
    sample_shape : tuple of int
        Shape of one structure.
    correlations : list of (int, int)
        The pairs of local states.
    periodic : bool
        Whether they are periodic.
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
        """Do nothing: there is nothing to learn."""
        return self

    def transform(self, X: Any) -> Any:
        """Give statistics ``(sample, *lag, correlation)`` with the lags kept, numpy or lazy dask.

        Raises
        ------
        InputError
            As `to_matvae_statistics`.
        """
        return to_matvae_statistics(
            X,
            sample_shape=self.sample_shape,
            cutoff=self.cutoff,
            periodic=self.periodic,
            correlations=self.correlations,
        )

    def inverse_transform(self, X: Any) -> Any:
        """Give back what came: a reducer's inverse makes structures, no statistics."""
        return X
