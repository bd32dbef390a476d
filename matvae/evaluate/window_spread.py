"""Spread of measures between disjoint windows of one size, and their bias against the whole."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..grid import Grid
from ..stats import correlation_length, surface_area, two_point_stats, volume_fractions

# Windows of one size that are measured, spread over the structures, in voxels altogether.
MOST_VOXELS = 1 << 24
# Voxels of a block of structures whose statistics are computed together.
BLOCK_VOXELS = 1 << 22
# The autocovariance is summed to this multiple of the lags at which it has decayed to the limit.
REACH = 1.5


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of a measure among windows, over those that have a value."""

    mean: float | None
    sd: float | None

    @classmethod
    def of(cls, values: np.ndarray) -> Spread:
        """Summarize values ``(window,)``; NaN is left out."""
        finite = values[np.isfinite(values)]
        # A mean over the fewer windows that have a value would be biased.
        if len(finite) < max(2, len(values) / 2):
            return cls(None, None)
        return cls(float(finite.mean()), float(finite.std(ddof=1)))


@dataclass(frozen=True)
class PhaseSpread:
    """Measures of a phase in windows of one size.

    Parameters
    ----------
    phase : int
    volume_fraction : Spread
    specific_surface, correlation_length : tuple of Spread
        Per axis, in the unit of the grid's voxel size; no specific surface of a continuous field.
    statistics_error : float or None
        Root mean square over windows of the relative error of the autocorrelation, ``||f - g|| / ||f||`` up to the
        cutoff, where f is that of the whole. None for windows that do not hold the cutoff.
    """

    phase: int
    volume_fraction: Spread
    specific_surface: tuple[Spread, ...]
    correlation_length: tuple[Spread, ...]
    statistics_error: float | None


@dataclass(frozen=True)
class WindowValues:
    """Volume fractions ``(window, phase)``, specific surfaces and correlation lengths ``(window, axis, phase)``."""

    fractions: np.ndarray
    surfaces: np.ndarray
    lengths: np.ndarray


def blocks_of(X: np.ndarray) -> Iterator[np.ndarray]:
    """Iterate over blocks of structures ``(sample, *space)``."""
    size = max(1, BLOCK_VOXELS // math.prod(X.shape[1:]))
    return (X[start : start + size] for start in range(0, len(X), size))


def measured_phases(grid: Grid) -> tuple[int, ...]:
    """Phases to report: both phases of two have the same statistics but for the sign of their deviations."""
    if grid.phases == 1:
        return (0,)
    return (1,) if grid.phases == 2 else tuple(range(grid.phases))


def disjoint_windows(X: np.ndarray, edges: Sequence[int]) -> np.ndarray:
    """Cut disjoint windows ``(sample, *position, *edges)`` from structures ``(sample, *space)``, centred, as a view."""
    numbers = [n // edge for n, edge in zip(X.shape[1:], edges, strict=True)]
    starts = [(n - k * edge) // 2 for n, k, edge in zip(X.shape[1:], numbers, edges, strict=True)]
    inner = X[(slice(None), *(slice(a, a + k * edge) for a, k, edge in zip(starts, numbers, edges, strict=True)))]
    pairs = [n for pair in zip(numbers, edges, strict=True) for n in pair]
    ndim = len(edges)
    split = inner.reshape(len(X), *pairs)
    return split.transpose(0, *range(1, 2 * ndim, 2), *range(2, 2 * ndim + 1, 2))


def spread_windows(X: np.ndarray, edges: Sequence[int]) -> tuple[np.ndarray, int]:
    """Return windows ``(window, *edges)``, spread over the structures if there are many, and how many there are."""
    cut = disjoint_windows(X, edges)
    shape = cut.shape[: -len(edges)]
    n = math.prod(shape)
    taken = np.unique(np.linspace(0, n - 1, min(n, max(4, MOST_VOXELS // math.prod(edges)))).round().astype(int))
    return cut[np.unravel_index(taken, shape)], n


def measure_spread(
    X: np.ndarray, grid: Grid, edges: Sequence[int], cutoff: Sequence[int], statistics: np.ndarray
) -> tuple[int, int, list[PhaseSpread]]:
    """Measure disjoint windows of one size.

    Parameters
    ----------
    X : array ``(sample, *space)``
    grid : Grid
    edges : sequence of int
        Voxels of a window along each axis.
    cutoff : sequence of int
        Longest lag of the autocorrelations along each axis.
    statistics : array ``(*lag, phase)``
        Autocorrelations of the whole up to the cutoff, of the phases that `measured_phases` gives.

    Returns
    -------
    n_windows, n_measured : int
    spreads : list of PhaseSpread
    """
    chosen, n_windows = spread_windows(X, edges)
    # Only the whole of a periodic structure continues on its opposite side.
    periodic = grid.periodic and tuple(edges) == grid.shape
    values = measure_windows(chosen, grid, periodic)
    errors = _statistics_errors(chosen, grid, periodic, cutoff, statistics)
    spreads = []
    for k, phase in enumerate(measured_phases(grid)):
        spreads.append(
            PhaseSpread(
                phase=phase,
                volume_fraction=Spread.of(values.fractions[:, k]),
                specific_surface=tuple(Spread.of(column) for column in values.surfaces[..., k].T),
                correlation_length=tuple(Spread.of(column) for column in values.lengths[..., k].T),
                statistics_error=None if errors is None else float(errors[k]),
            )
        )
    return n_windows, len(chosen), spreads


def measure_windows(chosen: np.ndarray, grid: Grid, periodic: bool, *, lengths: bool = True) -> WindowValues:
    """Measure windows ``(window, *edges)``, with or without their correlation lengths."""
    kept = list(measured_phases(grid))
    kind: dict[str, Any] = {"spatial_dims": grid.ndim, "phases": grid.phases}
    options: dict[str, Any] = {**kind, "periodic": periodic, "voxel_size": grid.voxel_size}
    axes = range(grid.ndim)
    per_axis = [correlation_length(chosen, axis=axis, **options)[:, kept] for axis in axes if lengths]
    surfaces = [
        surface_area(chosen, axis=axis, **options)[:, kept]
        for axis in axes
        if grid.phases > 1 and (periodic or chosen.shape[1 + axis] > 1)
    ]
    none = np.empty((len(chosen), 0, len(kept)))
    return WindowValues(
        volume_fractions(chosen, **kind)[:, kept],
        np.stack(surfaces, axis=1) if surfaces else none,
        np.stack(per_axis, axis=1) if lengths else none,
    )


def _statistics_errors(
    chosen: np.ndarray, grid: Grid, periodic: bool, cutoff: Sequence[int], statistics: np.ndarray
) -> np.ndarray | None:
    """Root mean square relative errors ``(phase,)``."""
    fits = [2 * c < n if periodic else c < n for c, n in zip(cutoff, chosen.shape[1:], strict=True)]
    if not all(fits):
        return None
    pairs = [(phase, phase) for phase in measured_phases(grid)]
    options: dict[str, Any] = {"phases": grid.phases, "spatial_dims": grid.ndim, "periodic": periodic}
    f = two_point_stats(chosen, correlations=pairs, cutoff=cutoff, **options)
    lags = tuple(range(statistics.ndim - 1))
    squares = np.square(f - statistics).mean(axis=0, dtype=np.float64).sum(axis=lags)
    return np.asarray(np.sqrt(squares / np.square(statistics).sum(axis=lags, dtype=np.float64)))
