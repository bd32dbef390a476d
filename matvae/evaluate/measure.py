"""Measure what a model preserves: structures to latents and back, block by block in bounded memory.

`measure` is the only such loop; every command that reports errors calls it, so that no two of them can disagree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import dask.array as da
import numpy as np

from ..crew import ALONE, Crew, computed
from ..data import Structures
from ..data.sample_blocks import Progress, block_bounds, read_block, samples_per_block
from ..data.subsets import within
from ..estimator import FittedModel, StatsVAETransformer
from ..estimator.textures import RETRIEVAL
from ..shown import Shown
from ..stats import resolve_correlations
from .errors import Scatter, StatisticsError, VolumeFractionError

# Latents from which a worker reconstructs structures at once: few, since each takes up to seconds.
LATENTS_AT_ONCE = 4


@dataclass(frozen=True, repr=False)
class RoundTrip(Shown):
    """A block of structures, their latents, and what an estimator reconstructs from these.

    Parameters
    ----------
    start : int
        Index of the block's first sample in its set.
    structures : array ``(sample, *space)``, or Structures with a mask
    statistics : array ``(sample, *lag, correlation)``
        Of `structures`.
    latents : array ``(sample, component)``
    decoded_statistics : array ``(sample, *lag, correlation)``
        Statistics decoded from the latents; None where they were not asked for.
    reconstructions : array ``(sample, *space)``
        None where the estimator has no `inverse_transform`, or none were asked for.
    reconstructed_statistics : array ``(sample, *lag, correlation)``
        Of `reconstructions`; None where there are none.
    """

    start: int
    structures: Any
    statistics: np.ndarray
    latents: np.ndarray
    decoded_statistics: Any
    reconstructions: Any
    reconstructed_statistics: Any

    @property
    def stop(self) -> int:
        """Index that follows the block's last sample."""
        return self.start + len(self.structures)

    def at(self, positions: np.ndarray) -> RoundTrip:
        """Some samples of the block, by their positions in it, as a block of its own that starts at 0."""
        return replace(
            self,
            start=0,
            structures=self.structures[positions],
            statistics=self.statistics[positions],
            latents=self.latents[positions],
            decoded_statistics=_some(self.decoded_statistics, positions),
            reconstructions=_some(self.reconstructions, positions),
            reconstructed_statistics=_some(self.reconstructed_statistics, positions),
        )


Observer = Callable[[RoundTrip], None]


class Kept:
    """Keeps some of the structures that are measured, with all that is made of them; an observer of `measure`.

    Parameters
    ----------
    numbers : array of int ``(sample,)``
        Of the samples, ascending.
    """

    def __init__(self, numbers: np.ndarray) -> None:
        self.numbers = numbers
        self._blocks: list[RoundTrip] = []

    def __call__(self, trip: RoundTrip) -> None:
        """Keep those in a block."""
        self._blocks.append(trip.at(within(self.numbers, trip.start, trip.stop)))

    @property
    def trip(self) -> RoundTrip:
        """The structures that were kept, as one block that starts at 0."""
        blocks = self._blocks
        return RoundTrip(
            start=0,
            structures=np.concatenate([block.structures for block in blocks]),
            statistics=np.concatenate([block.statistics for block in blocks]),
            latents=np.concatenate([block.latents for block in blocks]),
            decoded_statistics=_joined([block.decoded_statistics for block in blocks]),
            reconstructions=_joined([block.reconstructions for block in blocks]),
            reconstructed_statistics=_joined([block.reconstructed_statistics for block in blocks]),
        )


def _some(values: np.ndarray | None, positions: np.ndarray) -> np.ndarray | None:
    return None if values is None else values[positions]


def _joined(parts: list[np.ndarray | None]) -> np.ndarray | None:
    arrays = [part for part in parts if part is not None]
    return np.concatenate(arrays) if arrays else None


@dataclass(frozen=True, repr=False)
class Measurement(Shown):
    """Errors of one estimator on one set of structures.

    Parameters
    ----------
    latents : array ``(sample, component)``
    scatter : Scatter
        Of the true statistics.
    decoded : dict
        ``relative_error``, ``median_relative_error`` and ``centred_error`` (see `StatisticsError`) of the decoded
        statistics; each is None where they were not asked for.
    reconstructed : dict
        The same of the statistics of reconstructions; each is None where there are none.
    errors : array ``(sample,)``
        Relative error of the statistics of each reconstruction; empty where there are none.
    volume_fractions : array ``(2, sample, phase)``
        Of the originals and of the reconstructions, for phases 1 to H-1; empty for continuous fields.
    volume_fraction_difference : float or None
        Mean relative difference in percent (see `VolumeFractionError`); None where there are no volume fractions.
    n_empty : int
        Originals of phase 0 only, which that mean leaves out.
    """

    latents: np.ndarray
    scatter: Scatter
    decoded: dict[str, float | None]
    reconstructed: dict[str, float | None]
    errors: np.ndarray
    volume_fractions: np.ndarray
    volume_fraction_difference: float | None
    n_empty: int


def measure(
    estimator: Any,
    structures: Structures,
    *observers: Observer,
    decode: bool = True,
    reconstruct: bool = True,
    random_state: int = 0,
    progress: Progress | None = None,
    crew: Crew = ALONE,
) -> Measurement:
    """Take structures to their latents and back, and measure what is lost on the way.

    Parameters
    ----------
    estimator : fitted estimator
        With `transform`, `statistics` and `inverse_statistics`, such as `StatsVAETransformer` or `TwoPointPCA`. Where
        it has `inverse_transform`, the structures are reconstructed and measured, too; PCA of continuous fields has
        none.
    structures : Structures
        On the grid of the estimator. With a mask that leaves enough voxel pairs in each (see
        `matvae.estimator.masked_windows`), they are not reconstructed, and observers see statistics alone.
    *observers : callable
        Each is called with the `RoundTrip` of every block, to collect more: lines, PCA alongside, mean images.
    decode : bool
        Whether to measure the decoded statistics, too.
    reconstruct : bool
        Whether to reconstruct structures. Phase retrieval takes a tenth of a second or more per structure, so that a
        bounded number of structures may have to do where decoded statistics are measured on all.
    random_state : int
        Passed to `inverse_transform` with every block: the seed of the random starts of phase retrieval in
        `TwoPointPCA` and in models whose decoder gives statistics. Decoders of structures need no randomness.
    progress : callable, optional
        Called with the number of samples done and their total.
    crew : Crew
        Who takes structures to their latents and back. This process adds up the errors, and calls the observers.

    Returns
    -------
    Measurement
    """
    scatter, decoded, reconstructed, volume = Scatter(), StatisticsError(), StatisticsError(), VolumeFractionError()
    phases = structures.grid.phases
    latents, fractions = [], [np.empty((2, 0, phases - 1))]
    options = {"decode": decode, "reconstruct": reconstruct, "random_state": random_state}
    bounds = block_bounds(len(structures), block_size(estimator))
    for trip in crew.in_order(_trip_of, bounds, (structures, estimator, options), read=_read):
        latents.append(trip.latents)
        scatter.add(trip.statistics)
        if trip.decoded_statistics is not None:
            decoded.add(trip.statistics, trip.decoded_statistics)
        if trip.reconstructions is not None:
            reconstructed.add(trip.statistics, trip.reconstructed_statistics)
            if phases > 1:
                pair = (trip.structures, trip.reconstructions)
                volume.add(*pair)
                fractions.append(np.stack([volume_fractions(x, phases) for x in pair]))
        for observe in observers:
            observe(trip)
        if progress is not None:
            progress(trip.stop, len(structures))
        # Its statistics need not be in memory together with those of the next block.
        del trip
    return Measurement(
        latents=np.concatenate(latents),
        scatter=scatter,
        decoded=decoded.summary(scatter),
        reconstructed=reconstructed.summary(scatter),
        errors=reconstructed.relative,
        volume_fractions=np.concatenate(fractions, axis=1),
        volume_fraction_difference=volume.percent,
        n_empty=volume.n_empty,
    )


def _read(given: tuple[Structures, *tuple[Any, ...]], start: int, stop: int) -> Any:
    return read_block(given[0], start, stop)


def _trip_of(given: tuple[Structures, Any, dict[str, Any]], block: Any, start: int, stop: int) -> RoundTrip:
    _, estimator, options = given
    return round_trip(estimator, block, start=start, **options)


def round_trip(
    estimator: Any,
    structures: Any,
    *,
    start: int = 0,
    decode: bool = True,
    reconstruct: bool = True,
    realize: str = RETRIEVAL,
    random_state: int = 0,
    crew: Crew | None = None,
) -> RoundTrip:
    """Take one block of structures to its latents and back.

    Parameters
    ----------
    estimator, decode, reconstruct, random_state
        As in `measure`.
    structures : array ``(sample, *space)``, or Structures with a mask
    start : int
        Index of the first sample in its set.
    realize : str
        How a model that decodes statistics realizes structures, see `StatsVAETransformer.inverse_transform`. Phase
        retrieval is the only way that `TwoPointPCA` has, so that both are compared by the same means.
    crew : Crew, optional
        Who reconstructs structures, a few at a time; by default this process reconstructs all of them at once.

    Returns
    -------
    RoundTrip
    """
    latents, statistics = np.asarray(estimator.transform(structures)), np.asarray(estimator.statistics(structures))
    decoded = reconstructions = reconstructed_statistics = None
    if decode:
        decoded = np.asarray(estimator.inverse_statistics(latents)).reshape(statistics.shape)
    if reconstruct and hasattr(estimator, "inverse_transform"):
        options = {"realize": realize} if decodes_statistics(estimator) else {}
        z = latents if crew is None else da.from_array(latents, chunks=(LATENTS_AT_ONCE, -1), name=False)
        lazy = estimator.inverse_transform(z, random_state=random_state, **options)
        reconstructions = np.asarray(lazy) if crew is None else computed(lazy, crew)
        reconstructed_statistics = np.asarray(estimator.statistics(reconstructions))
    return RoundTrip(start, structures, statistics, latents, decoded, reconstructions, reconstructed_statistics)


def decodes_statistics(estimator: Any) -> bool:
    """Whether an estimator is a `StatsVAETransformer` whose decoder gives statistics instead of structures."""
    return isinstance(estimator, StatsVAETransformer) and not FittedModel.of(estimator).decodes_structures


def latents_of(estimator: Any, structures: Structures, crew: Crew = ALONE) -> np.ndarray:
    """Latents ``(sample, component)`` of structures, computed block by block."""
    bounds = block_bounds(len(structures), block_size(estimator))
    return np.concatenate(list(crew.in_order(_latents_of, bounds, (structures, estimator), read=_read)))


def _latents_of(given: tuple[Any, Any], block: np.ndarray, *_: int) -> np.ndarray:
    return np.asarray(given[1].transform(block))


def block_size(estimator: Any) -> int:
    """Number of samples whose statistics fit a block."""
    pairs = resolve_correlations(estimator.correlations, estimator.grid_.phases)
    return samples_per_block(4 * n_lags(estimator) * len(pairs))


def n_lags(estimator: Any) -> int:
    """Upper bound of the number of lags; non-periodic statistics have up to 2N per axis."""
    grid = estimator.grid_
    return math.prod(grid.shape) * (1 if estimator.periodic else 2**grid.ndim)


def volume_fractions(labels: np.ndarray, phases: int) -> np.ndarray:
    """Volume fractions ``(sample, phase)`` of phases 1 to H-1 of labels ``(sample, *space)``."""
    voxels = labels.reshape(len(labels), -1)
    return np.stack([(voxels == phase).mean(axis=1) for phase in range(1, phases)], axis=1)
