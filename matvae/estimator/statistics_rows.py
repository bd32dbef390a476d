"""StatisticsRows: the 2-point statistics of a set of samples as rows, read in several passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..stats import lag_shape, resolve_correlations, two_point_stats
from ..stats.metric import PLAIN, lag_weights
from .masked_windows import rows_with_masks
from .principal import Components, Moments, direct_components, iteration_bytes, principal_components
from .sample_layout import SampleLayout
from .samples import blocks_of, read_all

# Statistics of all samples are held at once, in double precision, up to this size.
IN_MEMORY_BYTES = 512 << 20
# Larger statistics are computed and used in blocks of about this size, in double precision.
BLOCK_BYTES = 64 << 20
# More components than this are computed from a matrix of inner products of at most this size, and so are those of
# larger statistics.
MANY_COMPONENTS = 20
LARGEST_MATRIX = 5000


@dataclass
class StatisticsRows:
    """Statistics of samples, computed once and held where they fit into memory, otherwise again in every pass.

    Parameters
    ----------
    arrays : tuple of numpy.ndarray or dask.array.Array ``(sample, ...)``
        The samples, followed by their mask if they have one, see `Samples.arrays`.
    compute : callable
        Takes a block of each to the statistics ``(sample, *lag, correlation)``.
    shape : tuple of int
        ``(*lag, correlation)``.
    """

    arrays: tuple[Any, ...]
    compute: Callable[..., np.ndarray]
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        self._held: list[np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.arrays[0])

    @property
    def n_features(self) -> int:
        """Number of values per row."""
        return int(np.prod(self.shape))

    def __iter__(self) -> Iterator[np.ndarray]:
        """Blocks ``(sample, feature)``, the same ones in every pass."""
        if self._held is None and self._fits:
            self._held = list(self._computed())
        return self._computed() if self._held is None else iter(self._held)

    @property
    def _fits(self) -> bool:
        return len(self) * 8 * self.n_features <= IN_MEMORY_BYTES

    @property
    def _has_moments(self) -> bool:
        """Whether a single pass over statistics that are not held gives their moments, in bounded memory."""
        return not self._fits and self.n_features <= min(len(self), LARGEST_MATRIX)

    @cached_property
    def _moments(self) -> Moments:
        return Moments.of(self)

    def working_bytes(self, n_components: int) -> int:
        """Memory in bytes that `components` takes for statistics that do not fit into memory; 0 for others."""
        if self._fits or self._has_moments:
            return 0
        return iteration_bytes(len(self), self.n_features, n_components)

    def weights(self, metric: str) -> np.ndarray:
        """Weights ``(*lag, correlation)`` of lags in a metric, see `lag_weights`."""
        if metric == PLAIN:
            return np.ones(self.shape)
        if self._has_moments:
            variance = np.maximum(self._moments.scatter.diagonal() / len(self), 0)
            return lag_weights(variance.reshape(self.shape), metric)
        total, squares = np.zeros(self.n_features), np.zeros(self.n_features)
        centre: np.ndarray | None = None
        for rows in self:
            # Differences from any sample have the same variance, and squares of them lose no digits.
            centre = rows[0].astype(np.float64) if centre is None else centre
            deviations = rows - centre
            total += deviations.sum(0)
            squares += np.square(deviations).sum(0)
        variance = np.maximum(squares / len(self) - np.square(total / len(self)), 0)
        return lag_weights(variance.reshape(self.shape), metric)

    def components(self, n_components: int, weights: np.ndarray) -> Components:
        """Principal components of weighted rows: a row is ``mean + scores @ components / sqrt(weights)``.

        Few of them are found by iteration; many, whose last ones hardly differ in variance, directly where the matrix
        of inner products is small enough. So are all of statistics that are not held, since one pass suffices then.
        """
        roots = np.sqrt(weights).ravel()
        plain = bool((roots == 1).all())
        n_components = min(n_components, len(self), self.n_features)

        def rows() -> Iterable[np.ndarray]:
            return self if plain else (block * roots for block in self)

        if self._has_moments:
            found = self._moments.components(n_components, None if plain else roots)
            return replace(found, mean=found.mean if plain else found.mean / roots)
        few_features = self.n_features <= min(len(self), LARGEST_MATRIX)
        few_samples = len(self) <= LARGEST_MATRIX and self._fits
        direct = n_components > MANY_COMPONENTS and (few_features or few_samples)
        compute = direct_components if direct else principal_components
        found = compute(rows, len(self), n_components)
        return replace(found, mean=found.mean if plain else found.mean / roots)

    def _computed(self) -> Iterator[np.ndarray]:
        for blocks in pieces(self.arrays, 8 * self.n_features):
            yield self.compute(*blocks).reshape(len(blocks[0]), -1)


def statistics_function(layout: SampleLayout, estimator: Any) -> Callable[..., np.ndarray]:
    """Function of a block of samples, and of its mask, that returns their statistics ``(sample, *lag, correlation)``.

    Those of windows that the mask leaves too few voxel pairs are NaN, see `rows_with_masks`. The estimator's parameters
    `correlations`, `periodic` and `cutoff` as they are now stay valid in it.
    """
    form = layout.form
    if form is None:
        return lambda block: layout.tensor(block).numpy()
    bounds = {"periodic": estimator.periodic, "cutoff": estimator.cutoff}
    pairs = resolve_correlations(estimator.correlations, form.phases)
    lags = lag_shape(form.space, **bounds)

    def compute(block: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        return two_point_stats(
            block.reshape(len(block), *layout.shape),
            spatial_dims=len(form.space),
            state_axis=form.state_axis,
            phases=form.phases,
            correlations=pairs,
            mask=mask,
            **bounds,
        )

    return lambda block, mask=None: rows_with_masks(compute, block, mask, (*lags, len(pairs)), **bounds)


def pieces(arrays: Sequence[Any], row_bytes: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Blocks of each array whose statistics, `row_bytes` per sample, have about `BLOCK_BYTES`."""
    step = max(1, BLOCK_BYTES // row_bytes)
    for part in blocks_of(arrays[0]):
        blocks = read_all(arrays, part)
        for start in range(0, len(blocks[0]), step):
            yield tuple(block[start : start + step] for block in blocks)
