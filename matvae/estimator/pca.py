"""TwoPointPCA: principal components of 2-point statistics, today's way to compress microstructures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone

from .. import validate
from ..errors import InputError
from ..grid import Grid
from ..stats import relative_error
from ..stats.lags import Cutoff
from ..stats.metric import METRICS, PLAIN
from .available import available_if
from .batches import seed_from
from .fitted import lazily
from .masked_windows import mean_of_measured, measured_windows
from .named_components import NamedComponents
from .parameters import check_parameters
from .realizations import check_phases_realized, check_realizations, check_search, realized
from .sample_layout import SampleLayout
from .samples import Samples, check_fitted, check_latents, read_all, sample_numbers, unchanged_on_error
from .statistics_rows import IN_MEMORY_BYTES, StatisticsRows, pieces, statistics_function


def _check_inverse(estimator: TwoPointPCA) -> None:
    """Refuse to invert scores after a fit on continuous fields; an estimator that is not fitted says so itself."""
    if estimator.__sklearn_is_fitted__():
        check_phases_realized(estimator.grid_, "inverse_transform")


class TwoPointPCA(NamedComponents, TransformerMixin, BaseEstimator):
    """Principal component scores of 2-point statistics, with the same interface as `StatsVAETransformer`.

    Niezgoda, Yabansu & Kalidindi, Acta Materialia 59, 6387 (2011). The decomposition is exact at any size: statistics
    up to 512 MiB are held at once; larger ones are computed block by block, in one pass if there are at most 5000 lags
    and in several otherwise, and never held for all samples.

    Parameters
    ----------
    n_components : int
        Number of scores; of statistics with fewer lags, as many as these.
    phases, sample_shape, state_axis, input, correlations, periodic, cutoff
        As in `StatsVAETransformer`.
    metric : ``"plain"`` or ``"lags"``
        Whether all lags count alike, as in PyMKS, or lag zero, short, medium and all lags each contribute the same
        variance, which preserves volume fraction, specific surface and feature size with fewer components.

    Attributes
    ----------
    grid_ : Grid
        Grid of one structure.
    phase_values_ : tuple or None
        The value that each phase had in the file it comes from, if the structures passed to `fit` record it.
    mean_ : array ``(*lag, correlation)``
        Mean statistics of the training set.
    components_ : array ``(component, *lag, correlation)``
        Principal components: statistics are ``mean_ + scores @ components_``. In the plain metric they are orthonormal
        with their largest entry positive; otherwise, orthonormal with respect to `lag_weights_`.
    lag_weights_ : array ``(*lag, correlation)``
        Weights of squared differences at each lag; ones in the plain metric.
    explained_variance_ : array ``(component,)``
        Variance explained by each component.
    explained_variance_ratio_ : array ``(component,)``
        Fraction of the variance explained by each component.
    """

    _component_name = "pc"
    _layout: SampleLayout
    grid_: Grid

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
        metric: str = PLAIN,
    ) -> None:
        self.n_components = n_components
        self.phases = phases
        self.sample_shape = sample_shape
        self.state_axis = state_axis
        self.input = input
        self.correlations = correlations
        self.periodic = periodic
        self.cutoff = cutoff
        self.metric = metric

    def fit(self, X: Any, y: Any = None) -> TwoPointPCA:
        """Compute the principal components of the statistics of X.

        Windows with voxels outside a mask take part with the statistics of the voxels inside it, unless the mask leaves
        less than half of the voxel pairs of a whole window at some lag: these are left out, with a warning.

        Parameters
        ----------
        X : array ``(sample, *space)``, or a `Structures`
            numpy or dask; also a file, a list of files, or an xarray.DataArray.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If there are fewer samples than components, or the data are not as expected. After any error the estimator
            is as it was before.
        """
        with unchanged_on_error(self):
            self._check_parameters()
            return self._fit(*self._read(X))

    def _check_parameters(self) -> None:
        check_parameters(self)
        validate.choice("metric", self.metric, METRICS)

    def _read(self, X: Any) -> tuple[Samples, StatisticsRows, np.dtype]:
        """Samples that can be measured, their statistics, and the precision of these."""
        samples, _ = measured_windows(self, Samples.of(self, X))
        compute = statistics_function(samples.layout, self)
        first = compute(*read_all(samples.arrays, slice(0, 1)))
        return samples, StatisticsRows(samples.arrays, compute, first.shape[1:]), first.dtype

    def _fit(self, samples: Samples, rows: StatisticsRows, dtype: np.dtype) -> TwoPointPCA:
        if self.n_components > len(samples):
            raise InputError(
                f"n_components must lie between 1 and the number of samples ({len(samples)}), but "
                f"{self.n_components} was given."
            )
        weights = rows.weights(self.metric)
        components = rows.components(self.n_components, weights)
        self._layout, self.grid_, self._lags = samples.layout, samples.grid, rows.shape
        self.lag_weights_ = weights.astype(dtype)
        self.mean_ = components.mean.reshape(rows.shape).astype(dtype)
        self.components_ = (components.components.reshape(-1, *rows.shape) / np.sqrt(weights)).astype(dtype)
        self.explained_variance_ = components.variance
        self.explained_variance_ratio_ = components.ratio
        return self

    def transform(self, X: Any) -> Any:
        """Compute the PC scores of structures.

        Parameters
        ----------
        X : array
            In the shape and form passed to `fit`.

        Returns
        -------
        array ``(sample, component)``
            numpy, or lazy dask for dask. NaN for windows that `fit` would leave out because of their mask.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If the samples do not have the shape and form of those passed to `fit`.
        """
        samples = Samples.like(self, X)
        mean, rows, scores = self.mean_.ravel(), self._rows_function(), self._scores_function()
        # Statistics of this many samples are a quarter of what may be held at once.
        step = max(1, IN_MEMORY_BYTES // (4 * mean.nbytes))

        def block(*parts: np.ndarray) -> np.ndarray:
            starts = range(0, len(parts[0]), step)
            return np.concatenate([scores(rows(*(part[start : start + step] for part in parts))) for start in starts])

        return lazily(samples.array, block, (len(self.components_),), mean.dtype, *samples.masks)

    def scores_of(self, statistics: np.ndarray) -> np.ndarray:
        """Compute the PC scores ``(sample, component)`` of statistics ``(sample, *lag, correlation)``."""
        check_fitted(self)
        return self._scores_function()(statistics.reshape(len(statistics), -1))

    def statistics(self, X: Any) -> Any:
        """Compute the 2-point statistics of structures, with the correlations, boundaries and cutoff of the fit.

        Parameters
        ----------
        X : array
            As in `transform`.

        Returns
        -------
        array ``(sample, *lag, correlation)``
            As `two_point_stats` returns them; numpy, or lazy dask for dask.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If the samples do not have the shape and form of those passed to `fit`.
        """
        samples = Samples.like(self, X)
        return lazily(samples.array, self._statistics_function(), self._lags, self.mean_.dtype, *samples.masks)

    def score(self, X: Any, y: Any = None) -> float:
        """Return minus the mean relative error of the statistics that scores describe: higher is better, 0 is exact.

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

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If the samples do not have the shape and form of those passed to `fit`.
        """
        samples, compute = Samples.like(self, X), self._statistics_function()
        scores, inverse = self._scores_function(), self._inverse_function()
        errors = []
        for blocks in pieces(samples.arrays, 8 * self.mean_.size):
            f = compute(*blocks)
            approximation = inverse(scores(f.reshape(len(f), -1)))
            # Squares of statistics of a field may exceed single precision, and relative errors have no unit.
            unit = np.abs(f).max(where=~np.isnan(f), initial=0) or 1.0
            errors.append(np.asarray(relative_error(f / unit, approximation / unit)))
        return -mean_of_measured(np.concatenate(errors))

    def inverse_statistics(self, Z: Any) -> Any:
        """Compute the 2-point statistics that scores describe.

        Parameters
        ----------
        Z : array ``(sample, component)``
            numpy or dask.

        Returns
        -------
        array ``(sample, *lag, correlation)``
            ``mean_ + Z @ components_``; numpy, or lazy dask for dask. In general no structure has exactly these
            statistics.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If Z has another number of components.
        """
        check_fitted(self)
        scores = check_latents(Z, len(self.components_))
        return lazily(scores, self._inverse_function(), self._lags, self.mean_.dtype)

    @available_if(_check_inverse)
    def inverse_transform(
        self,
        Z: Any,
        n_realizations: int | None = None,
        random_state: Any = None,
        tol: float = 1e-3,
        max_iter: int = 40,
        device: str = "auto",
    ) -> Any:
        """Reconstruct structures whose statistics are closest to those that scores describe.

        Parameters
        ----------
        Z : array ``(sample, component)``
            numpy or dask.
        n_realizations : int, optional
            Number of structures per sample, from different random starts.
        random_state : int, RandomState or None
            Of the starts. Each is also seeded by the sample's number, so they do not depend on how samples are chunked.
        tol, max_iter, device
            As in `matvae.reconstruct`. Hardly any structure has exactly the statistics of a few components; more
            iterations then change nothing.

        Returns
        -------
        array
            Structures in the shape, form and type passed to `fit`, or labels ``(sample, *space)`` if statistics were
            passed; with a realization axis after the sample axis if `n_realizations` is given. numpy, or lazy dask for
            dask.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If Z has another number of components, the volume fractions do not follow from the correlations, or after a
            fit on continuous fields, which statistics do not determine; ``hasattr`` is False then.
        """
        check_fitted(self)
        scores = check_latents(Z, len(self.components_))
        grid, layout, statistics = self.grid_, self._layout, self._inverse_function()
        n, row_bytes = check_realizations(n_realizations), self.mean_.nbytes
        check_search(tol, max_iter, device)
        out_shape = layout.structure_shape(grid) if n is None else (n, *layout.structure_shape(grid))

        def statistics_of_each(part: np.ndarray) -> np.ndarray:
            # Sums over components are rounded differently in larger blocks, and a search that differs in the last digit
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
            labels = realized(
                statistics_of_each,
                part,
                row_bytes=row_bytes,
                n_realizations=n,
                first_sample=int(numbers[0, 0]),
                **options,
            )
            structures = layout.restore(labels.reshape(-1, *grid.shape), grid.phases)
            return structures.reshape(len(part), *out_shape)

        return lazily(scores, block, out_shape, layout.structure_dtype(grid), sample_numbers(scores))

    @property
    def phase_values_(self) -> tuple[Any, ...] | None:
        """The value that each phase had in the file it comes from; None if the training set does not record it."""
        return self._layout.phase_values

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "components_")

    def _inverse_function(self) -> Callable[[np.ndarray], np.ndarray]:
        mean, components = self.mean_, self.components_
        return lambda scores: mean + np.tensordot(scores.astype(mean.dtype, copy=False), components, 1)

    def _scores_function(self) -> Callable[[np.ndarray], np.ndarray]:
        """Function of statistics ``(sample, feature)`` that returns their scores by this fit."""
        mean = self.mean_.ravel()
        flat = (self.components_ * self.lag_weights_).reshape(len(self.components_), -1)
        return lambda rows: (rows - mean) @ flat.T

    def _statistics_function(self) -> Callable[..., np.ndarray]:
        """Function of a block of samples that returns their statistics by the settings of this fit."""
        return statistics_function(self._layout, self)

    def _rows_function(self) -> Callable[..., np.ndarray]:
        compute = self._statistics_function()
        return lambda block, *masks: compute(block, *masks).reshape(len(block), -1)


def fit_variants(pca: TwoPointPCA, X: Any, variants: Sequence[dict[str, Any]]) -> list[TwoPointPCA]:
    """Fit copies of a PCA that differ in the number of components or in the metric, on the same structures.

    Each equals a fit of its own, but statistics that fit into memory are computed once for all of them.

    Parameters
    ----------
    pca : TwoPointPCA
        Left as it is.
    X : array ``(sample, *space)``, or a `Structures`
        As in `TwoPointPCA.fit`.
    variants : sequence of dict
        `n_components` and `metric` of each copy, as far as they differ from those of `pca`.

    Returns
    -------
    list of TwoPointPCA
        Fitted.

    Raises
    ------
    InputError
        As in `TwoPointPCA.fit`.
    """
    pca = clone(pca)
    pca._check_parameters()
    data = pca._read(X)
    fitted = [copy(pca).set_params(**variant) for variant in variants]
    for each in fitted:
        each._check_parameters()
        each._fit(*data)
    return fitted
