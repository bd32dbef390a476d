"""TwoPointPCA: principal components of 2-point statistics, today's way to compress microstructures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if

from ..errors import InputError
from ..stats import relative_error, two_point_stats
from ..stats.lags import Cutoff
from .batches import blocks_of, read, seed_from
from .checks import (
    check_fitted,
    check_latents,
    check_samples,
    check_structure_parameters,
    unchanged_on_error,
)
from .fitted import lazily
from .principal import Components, principal_components
from .realizations import check_phases_realized, check_realizations, check_search, realized
from .sample_layout import as_array, indices_like
from .samples import SamplesMixin

# Statistics of all samples are held at once, in double precision, up to this size.
IN_MEMORY_BYTES = 512 << 20
# Statistics beyond that are made and used in blocks of about this size, in double precision.
BLOCK_BYTES = 64 << 20


def _makes_structures(estimator: TwoPointPCA) -> bool:
    """Whether there is a way back: not where the fit saw continuous fields."""
    if hasattr(estimator, "grid_"):
        check_phases_realized(estimator.grid_, "inverse_transform")
    return True


class TwoPointPCA(SamplesMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Principal component scores of 2-point statistics, with the same face as `StatsVAETransformer`.

    Niezgoda, Yabansu & Kalidindi, Acta Materialia 59, 6387 (2011). The decomposition is exact whatever the size:
    statistics up to 512 MiB are held at once; beyond that they are made block by block, several times over, and
    never held for all samples.

    Parameters
    ----------
    n_components : int
        Number of scores; of statistics with fewer lags, as many as these.
    phases, sample_shape, state_axis, input, correlations, periodic, cutoff
        As in `StatsVAETransformer`.

    Attributes
    ----------
    grid_ : Grid
        What one structure is.
    mean_ : array ``(*lag, correlation)``
        Mean statistics of the training set.
    components_ : array ``(component, *lag, correlation)``
        Principal components, with their largest entry positive.
    explained_variance_ : array ``(component,)``
        Variance each explains.
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
        input: str = "structures",
        correlations: Sequence[Sequence[int]] | None = None,
        periodic: bool = True,
        cutoff: Cutoff = None,
    ) -> None:
        self.n_components = n_components
        self.phases = phases
        self.sample_shape = sample_shape
        self.state_axis = state_axis
        self.input = input
        self.correlations = correlations
        self.periodic = periodic
        self.cutoff = cutoff

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
        array, self._input, self.grid_ = self._understand(X)
        first = self._statistics_function()(read(array, slice(0, 1)))
        self._lags = first.shape[1:]
        if self.n_components > len(array):
            raise InputError(
                f"n_components must lie between 1 and the number of samples ({len(array)}), but "
                f"{self.n_components} was given."
            )
        found = self._components(array, first.size)
        dtype = first.dtype
        self.mean_ = found.mean.reshape(self._lags).astype(dtype)
        self.components_ = found.components.reshape(-1, *self._lags).astype(dtype)
        self.explained_variance_ = found.variance
        self.explained_variance_ratio_ = found.ratio
        return self

    def _components(self, array: Any, n_features: int) -> Components:
        n_samples, row_bytes = len(array), 8 * n_features
        compute = self._rows_function()
        # Statistics of few lags have no more components than that.
        n_components = min(self.n_components, n_features)

        def rows() -> Iterator[np.ndarray]:
            return (compute(block) for block in _pieces(array, row_bytes))

        if n_samples * row_bytes > IN_MEMORY_BYTES:
            return principal_components(rows, n_samples, n_components)
        kept = list(rows())
        return principal_components(lambda: kept, n_samples, n_components)

    def transform(self, X: Any) -> Any:
        """Scores ``(sample, component)`` of structures; numpy, or lazy dask for dask."""
        array = self._checked(X)
        mean, rows, scores = self.mean_.ravel(), self._rows_function(), self._scores_function()
        # Statistics of so many samples are a quarter of what is held at once.
        step = max(1, IN_MEMORY_BYTES // (4 * mean.nbytes))

        def block(part: np.ndarray) -> np.ndarray:
            pieces = [part[start : start + step] for start in range(0, len(part), step)]
            return np.concatenate([scores(rows(piece)) for piece in pieces])

        return lazily(array, block, (len(self.components_),), mean.dtype)

    def statistics(self, X: Any) -> Any:
        """2-point statistics ``(sample, *lag, correlation)`` of structures, as the baseline computes them."""
        array = self._checked(X)
        return lazily(array, self._statistics_function(), self._lags, self.mean_.dtype)

    def score(self, X: Any, y: Any = None) -> float:
        """Minus the mean relative error of the statistics that scores stand for: higher is better, 0 is perfect.

        Parameters
        ----------
        X : array
            As in `transform`.
        y : None
            Ignored.

        Returns
        -------
        float
            ``-mean(||f(x) - f_pca||_2 / ||f(x)||_2)``
        """
        array, compute, scores = self._checked(X), self._statistics_function(), self._scores_function()
        total = 0.0
        for block in _pieces(array, 8 * self.mean_.size):
            f = compute(block)
            made = self.inverse_statistics(scores(f.reshape(len(f), -1)))
            total += float(np.asarray(relative_error(f, made)).sum(dtype=np.float64))
        return -total / len(array)

    def inverse_statistics(self, Z: Any) -> Any:
        """Statistics ``(sample, *lag, correlation)`` of scores ``(sample, component)``."""
        check_fitted(self)
        scores = check_latents(as_array(Z), len(self.components_))
        return lazily(scores, self._inverse_function(), self._lags, self.mean_.dtype)

    @available_if(_makes_structures)
    def inverse_transform(
        self,
        Z: Any,
        n_realizations: int | None = None,
        random_state: Any = None,
        tol: float = 1e-3,
        max_iter: int = 40,
        device: str = "auto",
    ) -> Any:
        """Structures of scores: those of which the statistics are closest to what the scores stand for.

        Parameters
        ----------
        Z : array ``(sample, component)``
            numpy or dask.
        n_realizations : int, optional
            Make so many structures of each sample, from different random starts.
        random_state : int, RandomState or None
            Of the starts. A sample's own number joins it, so they do not depend on how samples are chunked.
        tol, max_iter, device
            As in `matvae.reconstruct`. Statistics of a few components are hardly ever those of any structure; more
            iterations then change nothing.

        Returns
        -------
        array
            Structures in the shape, form and type that went into `fit`, labels ``(sample, *space)`` if these were
            statistics; with a realization axis after the samples if `n_realizations` is given. numpy, or lazy dask
            for dask.

        Raises
        ------
        InputError
            If Z has another number of components, or the volume fractions do not follow from the correlations.
        AttributeError
            If `fit` saw continuous fields: as scikit-learn has it, an estimator has only methods that it can do.
        """
        check_fitted(self)
        scores = check_latents(as_array(Z), len(self.components_))
        grid, understood, statistics = self.grid_, self._input, self._inverse_function()
        n, row_bytes = check_realizations(n_realizations), self.mean_.nbytes
        check_search(tol, max_iter, device)
        out_shape = understood.shape_out(grid) if n is None else (n, *understood.shape_out(grid))

        def one_by_one(part: np.ndarray) -> np.ndarray:
            # Sums over components are rounded differently in larger blocks, and a search that differs in a last digit
            # ends in another structure.
            return np.concatenate([statistics(row[None]) for row in part])

        options = {
            "grid": grid,
            "correlations": self.correlations,
            "random_state": seed_from(random_state),
            "tol": tol,
            "max_iter": max_iter,
            "device": device,
        }

        def block(part: np.ndarray, numbers: np.ndarray) -> np.ndarray:
            first = int(numbers[0, 0])
            made = realized(one_by_one, part, row_bytes=row_bytes, n_realizations=n, first_sample=first, **options)
            structures = understood.array(made.reshape(-1, *grid.shape), grid.phases)
            return structures.reshape(len(part), *out_shape)

        return lazily(scores, block, out_shape, understood.dtype_out(grid), indices_like(scores))

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "components_")

    def _checked(self, X: Any) -> Any:
        check_fitted(self)
        return self._input.accept(check_samples(self, as_array(X), X, reset=False))

    def _inverse_function(self) -> Callable[[np.ndarray], np.ndarray]:
        mean, components = self.mean_, self.components_
        return lambda scores: mean + np.tensordot(scores.astype(mean.dtype, copy=False), components, 1)

    def _scores_function(self) -> Callable[[np.ndarray], np.ndarray]:
        """Function of statistics ``(sample, feature)`` to their scores, with the parts of this fit."""
        mean, flat = self.mean_.ravel(), self.components_.reshape(len(self.components_), -1)
        return lambda rows: (rows - mean) @ flat.T

    def _statistics_function(self) -> Callable[[np.ndarray], np.ndarray]:
        """Function of a block of samples to its statistics, with the parts of this fit."""
        understood, form = self._input, self._input.form
        if form is None:
            return lambda block: understood.tensor(block).numpy()
        return lambda block: two_point_stats(
            block.reshape(len(block), *understood.shape),
            state_axis=form.state_axis,
            phases=form.phases,
            correlations=self.correlations,
            periodic=self.periodic,
            cutoff=self.cutoff,
        )

    def _rows_function(self) -> Callable[[np.ndarray], np.ndarray]:
        compute = self._statistics_function()
        return lambda block: compute(block).reshape(len(block), -1)


def _pieces(array: Any, row_bytes: int) -> Iterator[np.ndarray]:
    """Samples of an array in blocks whose statistics, of `row_bytes` a sample, have about `BLOCK_BYTES`."""
    step = max(1, BLOCK_BYTES // row_bytes)
    for part in blocks_of(array):
        block = read(array, part)
        for start in range(0, len(block), step):
            yield block[start : start + step]
