"""TwoPointPCA: principal components of 2-point statistics, today's way to compress microstructures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.decomposition import PCA, IncrementalPCA

from ..errors import InputError
from ..stats import two_point_stats
from ..stats.lags import Cutoff
from .batches import blocks_of, read, seed_from
from .checks import (
    check_fitted,
    check_latents,
    check_samples,
    check_structure_parameters,
    unchanged_on_error,
)
from .inference import lazily
from .inputs import as_array, phases_asked, understand_structures

# Statistics of all samples are held at once up to this size; beyond it they are taken block by block.
IN_MEMORY_BYTES = 512 << 20
# Statistics go into the incremental fit in blocks of about this size.
BLOCK_BYTES = 64 << 20
# Blocks of the incremental fit keep this many times the components, so that little is lost between them.
OVERSAMPLING = 4


class TwoPointPCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Principal component scores of 2-point statistics, with the same face as `StatsVAETransformer`.

    Niezgoda, Yabansu & Kalidindi, Acta Materialia 59, 6387 (2011). Statistics are computed block by block. Up
    to 512 MiB of them the decomposition is exact; beyond that it is scikit-learn's IncrementalPCA with four
    times the components, of which the first are kept.

    Parameters
    ----------
    n_components : int
        Number of scores.
    phases, sample_shape, state_axis, correlations, periodic, cutoff
        As in `StatsVAETransformer`.
    random_state : int, RandomState or None
        Of the randomised solver for large statistics.

    Attributes
    ----------
    mean_ : array ``(*lag, correlation)``
        Mean statistics of the training set.
    components_ : array ``(component, *lag, correlation)``
        Principal components.
    explained_variance_ratio_ : array ``(component,)``
        Share of the variance each explains.
    """

    def __init__(
        self,
        n_components: int = 9,
        *,
        phases: int | str = "auto",
        sample_shape: Sequence[int] | None = None,
        state_axis: int | None = None,
        correlations: Sequence[Sequence[int]] | None = None,
        periodic: bool = True,
        cutoff: Cutoff = None,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.phases = phases
        self.sample_shape = sample_shape
        self.state_axis = state_axis
        self.correlations = correlations
        self.periodic = periodic
        self.cutoff = cutoff
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> TwoPointPCA:
        """Find the principal components of the statistics of X.

        Parameters
        ----------
        X : array ``(sample, *space)``, or a `Structures`
            numpy or dask.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If there are fewer samples than components, or the data are not what they should be.
        """
        with unchanged_on_error(self):
            check_structure_parameters(self)
            return self._fit(X)

    def _fit(self, X: Any) -> TwoPointPCA:
        array = check_samples(self, as_array(X), X, reset=True)
        self._input = understand_structures(
            array,
            phases=phases_asked(X, self.phases),
            sample_shape=self.sample_shape,
            state_axis=self.state_axis,
        )
        if self.n_components > len(array):
            raise InputError(
                f"n_components must lie between 1 and the number of samples ({len(array)}), but "
                f"{self.n_components} was given."
            )
        first = self._statistics_function()(read(array, slice(0, 1)))
        self._lags = first.shape[1:]
        if len(array) * first.nbytes <= IN_MEMORY_BYTES:
            compute = self._rows_function()
            rows = np.concatenate([compute(read(array, part)) for part in blocks_of(array)])
            n_components = min(self.n_components, rows.shape[1])
            pca: Any = PCA(n_components, random_state=seed_from(self.random_state)).fit(rows)
        else:
            pca = self._incremental(array, first.size, first.nbytes)
        self.mean_ = pca.mean_.reshape(self._lags)
        self.components_ = pca.components_[: self.n_components].reshape(-1, *self._lags)
        self.explained_variance_ = pca.explained_variance_[: self.n_components]
        self.explained_variance_ratio_ = pca.explained_variance_ratio_[: self.n_components]
        return self

    def transform(self, X: Any) -> Any:
        """Scores ``(sample, component)`` of structures; numpy, or lazy dask for dask."""
        array = self._checked(X)
        flat = self.components_.reshape(len(self.components_), -1)
        mean, rows = self.mean_.ravel(), self._rows_function()
        # Statistics of so many samples are a quarter of what is held at once.
        step = max(1, IN_MEMORY_BYTES // (4 * mean.nbytes))

        def block(part: np.ndarray) -> np.ndarray:
            pieces = [part[start : start + step] for start in range(0, len(part), step)]
            return np.concatenate([(rows(piece) - mean) @ flat.T for piece in pieces])

        return lazily(array, block, (len(flat),), mean.dtype)

    def statistics(self, X: Any) -> Any:
        """2-point statistics ``(sample, *lag, correlation)`` of structures, as the baseline computes them."""
        array = self._checked(X)
        compute = self._statistics_function()
        return lazily(array, compute, self._lags, np.dtype(np.float64 if array.dtype == np.float64 else np.float32))

    def inverse_statistics(self, Z: Any) -> Any:
        """Statistics ``(sample, *lag, correlation)`` of scores ``(sample, component)``."""
        check_fitted(self)
        scores = check_latents(as_array(Z), len(self.components_))
        mean, components = self.mean_, self.components_

        def block(part: np.ndarray) -> np.ndarray:
            return mean + np.tensordot(part.astype(mean.dtype, copy=False), components, 1)

        return lazily(scores, block, self._lags, mean.dtype)

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "components_")

    def _checked(self, X: Any) -> Any:
        check_fitted(self)
        return self._input.accept(check_samples(self, as_array(X), X, reset=False))

    def _statistics_function(self) -> Callable[[np.ndarray], np.ndarray]:
        """Function of a block of samples to its statistics, with the parts of this fit."""
        shape, form = self._input.shape, self._input.form
        assert form is not None
        return lambda block: two_point_stats(
            block.reshape(len(block), *shape),
            state_axis=form.state_axis,
            phases=form.phases,
            correlations=self.correlations,
            periodic=self.periodic,
            cutoff=self.cutoff,
        )

    def _rows_function(self) -> Callable[[np.ndarray], np.ndarray]:
        compute = self._statistics_function()
        return lambda block: compute(block).reshape(len(block), -1)

    def _incremental(self, array: Any, n_features: int, bytes_a_sample: int) -> IncrementalPCA:
        n_kept = min(OVERSAMPLING * self.n_components, n_features)
        if n_kept > len(array):
            raise InputError(
                f"{len(array)} samples of this size are too few for {self.n_components} components taken "
                "block by "
                f"block; at least {n_kept} are needed. Set a cutoff, which makes the statistics small "
                "enough for an "
                "exact fit."
            )
        step = max(2 * n_kept, BLOCK_BYTES // bytes_a_sample)
        pca, compute = IncrementalPCA(n_kept), self._rows_function()
        rows = np.empty((0, n_features), dtype=np.float32)
        for part in blocks_of(array):
            block = read(array, part)
            for start in range(0, len(block), step):
                rows = np.concatenate([rows, compute(block[start : start + step])])
                # What stays is enough for a step of its own, so that no sample is left over at the end.
                if len(rows) >= step + n_kept:
                    pca.partial_fit(rows[:step])
                    rows = rows[step:]
        return pca.partial_fit(rows)
