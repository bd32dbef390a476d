"""TwoPointPCA: principal components of 2-point statistics, today's way to compress microstructures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.utils.validation import check_is_fitted

from ..errors import InputError
from ..stats import two_point_stats
from ..stats.lags import Cutoff
from .batches import blocks_of, read, seed_from
from .checks import check_samples
from .inference import lazily
from .inputs import Input, as_array, understand_structures

# Statistics of all samples are held at once up to this size; beyond it they are taken block by block.
IN_MEMORY_BYTES = 512 << 20
# Blocks of the incremental fit keep this many times the components, so that little is lost between them.
OVERSAMPLING = 4


class TwoPointPCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Principal component scores of 2-point statistics, with the same face as `StatsVAETransformer`.

    Niezgoda, Yabansu & Kalidindi, Acta Materialia 59, 6387 (2011). Statistics are computed block by block. Up to 512 MiB
    of them the decomposition is exact; beyond that it is scikit-learn's IncrementalPCA with four times the
    components, of which the first are kept.

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
        array = check_samples(self, as_array(X), X, reset=True)
        understood = understand_structures(
            array, phases=self.phases, sample_shape=self.sample_shape, state_axis=self.state_axis
        )
        if not 1 <= self.n_components <= len(array):
            raise InputError(
                f"n_components must lie between 1 and the number of samples ({len(array)}), but {self.n_components} was given."
            )
        self._input = understood
        first = self._block_statistics(read(array, slice(0, 1)))
        self._lags = first.shape[1:]
        if len(array) * first.nbytes <= IN_MEMORY_BYTES:
            rows = np.concatenate([self._rows(read(array, part)) for part in blocks_of(array)])
            n_components = min(self.n_components, rows.shape[1])
            pca: Any = PCA(n_components, random_state=seed_from(self.random_state)).fit(rows)
        else:
            pca = self._incremental(array, first.nbytes)
        self.mean_ = pca.mean_.reshape(self._lags)
        self.components_ = pca.components_[: self.n_components].reshape(-1, *self._lags)
        self.explained_variance_ = pca.explained_variance_[: self.n_components]
        self.explained_variance_ratio_ = pca.explained_variance_ratio_[: self.n_components]
        return self

    def transform(self, X: Any) -> Any:
        """Scores ``(sample, component)`` of structures; numpy, or lazy dask for dask."""
        check_is_fitted(self)
        array = self._input.accept(check_samples(self, as_array(X), X, reset=False))
        flat = self.components_.reshape(len(self.components_), -1)

        def block(part: np.ndarray) -> np.ndarray:
            step = max(1, IN_MEMORY_BYTES // (8 * flat.shape[1] * 4))
            pieces = [part[start : start + step] for start in range(0, len(part), step)]
            return np.concatenate([(self._rows(p) - self.mean_.ravel()) @ flat.T for p in pieces])

        return lazily(array, block, (len(flat),), self.mean_.dtype)

    def statistics(self, X: Any) -> Any:
        """2-point statistics ``(sample, *lag, correlation)`` of structures, as the baseline computes them."""
        check_is_fitted(self)
        array = self._input.accept(check_samples(self, as_array(X), X, reset=False))
        return lazily(array, self._block_statistics, self._lags, self.mean_.dtype)

    def inverse_statistics(self, Z: Any) -> Any:
        """Statistics ``(sample, *lag, correlation)`` of scores ``(sample, component)``; of no structure in general."""
        check_is_fitted(self)
        scores = as_array(Z)
        if scores.ndim != 2 or scores.shape[1] != len(self.components_):
            raise InputError(
                f"Scores of shape (sample, {len(self.components_)}) are expected, but an array of shape {scores.shape} "
                "was given. Pass what transform gives."
            )

        def block(part: np.ndarray) -> np.ndarray:
            return self.mean_ + np.tensordot(part.astype(self.mean_.dtype, copy=False), self.components_, 1)

        return lazily(scores, block, self._lags, self.mean_.dtype)

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def _block_statistics(self, block: np.ndarray) -> np.ndarray:
        understood: Input = self._input
        assert understood.form is not None
        return two_point_stats(
            block.reshape(len(block), *understood.shape),
            state_axis=understood.form.state_axis,
            phases=understood.form.phases,
            correlations=self.correlations,
            periodic=self.periodic,
            cutoff=self.cutoff,
        )

    def _rows(self, block: np.ndarray) -> np.ndarray:
        return self._block_statistics(block).reshape(len(block), -1)

    def _incremental(self, array: Any, bytes_a_sample: int) -> IncrementalPCA:
        n_kept = OVERSAMPLING * self.n_components
        step = max(2 * n_kept, (64 << 20) // bytes_a_sample)
        if n_kept > len(array):
            raise InputError(
                f"{len(array)} samples of this size are too few for {self.n_components} components taken block by block; "
                f"at least {n_kept} are needed. Set a cutoff, which makes the statistics small enough for an exact fit."
            )
        pca = IncrementalPCA(n_kept)
        rest: list[np.ndarray] = []
        for part in blocks_of(array):
            block = read(array, part)
            for start in range(0, len(block), step):
                rest.append(self._rows(block[start : start + step]))
                if sum(map(len, rest)) >= step:
                    pca.partial_fit(np.concatenate(rest))
                    rest = []
        left = np.concatenate(rest) if rest else np.empty((0, 0))
        if len(left) >= n_kept:
            pca.partial_fit(left)
        elif len(left):
            # A block of fewer samples than components cannot be added: say what is left out.
            import warnings

            warnings.warn(
                f"The last {len(left)} of {len(array)} samples do not fill a block and are not used for the components.",
                stacklevel=3,
            )
        return pca
