"""Representative windows: how large a window of a material has to be, and how many are needed.

A window must be large enough to hold the correlations of the material, and large or numerous enough for the sampling
noise of its statistics. The first sets its size, the second the number of windows (statistical volume elements:
Niezgoda, Turner, Fullwood & Kalidindi, Acta Materialia 58, 4432 (2010)), or the size of a single window that represents
the material alone (representative volume element: Drugan & Willis, Journal of the Mechanics and Physics of Solids 44,
497 (1996); Kanit, Forest, Galliet, Mounoury & Jeulin, International Journal of Solids and Structures 40, 3647 (2003)).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch

from ..data import Structures
from ..errors import InputError
from ..grid import Grid
from ..shown import Shown
from ..stats import two_point_stats, two_point_stats_by_blocks, volume_fractions
from ..stats.correlation_length import autocovariance_profile, decay_length
from ..stats.independent_windows import independent_among
from ..stats.integral_range import Autocovariance, decorrelation_lags, estimate_autocovariance
from .stationarity import SIGNIFICANCE, Stationarity, stationarity_of
from .window_spread import (
    BLOCK_VOXELS,
    REACH,
    PhaseSpread,
    blocks_of,
    disjoint_windows,
    measure_spread,
    measure_windows,
    measured_phases,
)

# Smallest edge of a window in voxels, and the least number of windows from which a spread is taken.
LEAST_EDGE, LEAST_NUMBER = 8, 4
# Windows whose spread says something of the integral range.
LEAST_SPREAD = 12
# Voxels among which overlaps of windows are looked for.
MOST_HASHED = 1 << 26
# Edge of the recommended window in cutoffs: at the longest lag, two thirds of its voxels have a partner along an axis.
WINDOW_CUTOFFS = 3
# Standard deviations in the interval that holds 95 % of the windows.
INTERVAL = 2.0


@dataclass(frozen=True, repr=False)
class PhaseSummary(Shown):
    """A phase in all structures together.

    Parameters
    ----------
    phase : int
    volume_fraction : float
        The mean, for a continuous field.
    standard_error : float
        Standard deviation of the volume fraction of as much material, from the integral range.
    variance : float
        Variance of the phase's indicator, p (1 - p), or of the continuous field.
    specific_surface : tuple of float
        From test lines along each axis, per the grid's unit of length; empty for a continuous field.
    correlation_length : tuple of (float or None)
        Along each axis; None where the autocovariance does not decay within half the structure.
    integral_range : float
        Volume that counts as one independent observation of the volume fraction, in the unit of length to the power of
        the number of axes. From the autocovariance or from the spread between windows, whichever is larger.
    stationarity : dict of str to Stationarity
        ``"volume_fraction"`` and, unless it is a continuous field, ``"specific_surface"``, the mean over the axes.
    """

    phase: int
    volume_fraction: float
    standard_error: float
    variance: float
    specific_surface: tuple[float, ...]
    correlation_length: tuple[float | None, ...]
    integral_range: float
    stationarity: dict[str, Stationarity]


@dataclass(frozen=True, repr=False)
class WindowSize(Shown):
    """Windows of one size.

    Parameters
    ----------
    shape : tuple of int
        Voxels along each axis.
    n_windows : int
        Disjoint windows in all structures.
    n_measured : int
        Those that were measured, spread over the structures.
    expected : tuple of float
        Standard deviation of the volume fraction of each phase that follows from the autocovariance.
    phases : tuple of PhaseSpread
        Spread between the windows that were measured.
    """

    shape: tuple[int, ...]
    n_windows: int
    n_measured: int
    expected: tuple[float, ...]
    phases: tuple[PhaseSpread, ...]


@dataclass(frozen=True, repr=False)
class Recommendation(Shown):
    """Windows to cut, with the error to expect of them.

    Parameters
    ----------
    window, stride, cutoff : tuple of int
        In voxels along each axis.
    holds : bool
        Whether the window is three cutoffs long along every axis; otherwise it is as long as the structure.
    n_windows : int
        Disjoint windows of this size in the structures.
    n_needed : int
        Windows whose mean has the volume fraction of every phase, the rarest included, within the tolerance, with 95 %
        confidence.
    rve : tuple of int
        Shape of a single window that does, in voxels: of equal edge lengths in units of length.
    fits : bool
        Whether the structures hold such a window.
    """

    window: tuple[int, ...]
    stride: tuple[int, ...]
    cutoff: tuple[int, ...]
    holds: bool
    n_windows: int
    n_needed: int
    rve: tuple[int, ...]
    fits: bool


@dataclass(frozen=True, repr=False)
class Representativity(Shown):
    """How well structures represent their material, and how large windows have to be.

    Parameters
    ----------
    grid : Grid
        Of the structures.
    n_structures : int
    n_independent : float
        Structures without overlap that show as much material.
    tolerance : float
        Relative error of volume fractions that is tolerated.
    phases : tuple of PhaseSummary
        The second of two phases, or all of more.
    sizes : tuple of WindowSize
        From small to large. The recommended window is among them if at least two fit.
    recommended : Recommendation
    stationary : bool or None
        Whether all tests allow that the structures are one material; None if they are too small for a test.
    remarks : tuple of str
        What limits these numbers.
    """

    grid: Grid
    n_structures: int
    n_independent: float
    tolerance: float
    phases: tuple[PhaseSummary, ...]
    sizes: tuple[WindowSize, ...]
    recommended: Recommendation
    stationary: bool | None
    remarks: tuple[str, ...]

    @property
    def least_certain(self) -> int:
        """Index of the phase whose volume fraction has the largest relative sampling error."""
        errors = [phase.standard_error / max(phase.volume_fraction, 1e-12) for phase in self.phases]
        return int(np.argmax(errors))

    def shown_rows(self) -> dict[str, str]:
        """What follows for the windows to cut, and why."""
        recommended, unit = self.recommended, self.grid.length_unit
        phases = {
            f"phase {phase.phase}": f"volume fraction {phase.volume_fraction:.4g} ± {phase.standard_error:.2g}, "
            f"correlation length {_lengths(phase.correlation_length)} {unit}"
            for phase in self.phases
        }
        percent = f"{100 * self.tolerance:g} %"
        return {
            "structures": f"{self.n_structures}, each {self.grid.describe()}",
            **phases,
            "stationary": {True: "yes", False: "no", None: "too small for a test"}[self.stationary],
            "window": f"{_shape(recommended.window)} voxels, stride {_shape(recommended.stride)}, cutoff "
            f"{_shape(recommended.cutoff)}",
            "windows needed": f"{recommended.n_needed} for volume fractions to {percent}; there are "
            f"{recommended.n_windows} without overlap",
            "single window (RVE)": f"{_shape(recommended.rve)} voxels for volume fractions to {percent}"
            + ("" if recommended.fits else ", larger than the structure"),
            **{f"remark {i}": text for i, text in enumerate(self.remarks, 1)},
        }

    def plot(self, *, figure_style: str = "screen") -> Any:
        """Draw how measures of windows scatter, and the lengths found in them, against the size of the windows.

        Parameters
        ----------
        figure_style : ``"screen"``, ``"single"`` or ``"double"``
            As wide as its contents need, or as one or two columns of a journal, with text of 7 points.

        Returns
        -------
        matplotlib.figure.Figure
            Notebooks show it; save it with ``figure.savefig``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        return import_module("matvae.notebook").plot_representativity(self, figure_style)


def representative_windows(
    structures: Structures, *, tolerance: float = 0.05, progress: Callable[[int, int], None] | None = None
) -> Representativity:
    """Find how large windows of a material have to be, and how many are needed.

    Parameters
    ----------
    structures : Structures
        An image or a volume of the material, or a set of windows of it. Held in memory.
    tolerance : float
        Relative error of the volume fractions that is tolerated, with 95 % confidence.
    progress : callable, optional
        Called with the number of window sizes done and their total.

    Returns
    -------
    Representativity

    Raises
    ------
    InputError
        If the tolerance is not between 0 and 1, or the structures consist of one phase or are too small.
    """
    if not 0 < tolerance < 1:
        raise InputError(f"tolerance must lie between 0 and 1, such as 0.05 for 5 %, but {tolerance!r} was given.")
    grid = structures.grid
    if min(grid.shape) < 2 or max(grid.shape) < 2 * LEAST_EDGE:
        raise InputError(
            f"Windows are cut from structures of at least {2 * LEAST_EDGE} voxels along an axis and two along each, "
            f"but the shape is {grid.shape}. Give the whole image or volume, not small windows of it."
        )
    X = structures.data.compute()
    phases = measured_phases(grid)
    profiles = {phase: _profiles(X, grid, phase) for phase in phases}
    present = [phase for phase in phases if profiles[phase][0][0] > 0]
    if not present:
        raise InputError(
            "Structures with at least two phases are expected, but these consist of a single one, which every window "
            "represents. Check the phase values of the import."
        )
    n_independent = _independent(X, grid)
    n_voxels = round(grid.n_voxels * n_independent)
    lags = [decorrelation_lags(profiles[phase], n_voxels) for phase in present]
    longest = (max(2, *axis_lags) for axis_lags in zip(*(found for found, _ in lags), strict=True))
    cutoff = tuple(min((n - 1) // 2, c) for n, c in zip(grid.shape, longest, strict=True))
    decays = tuple(all(axis) for axis in zip(*(decayed for _, decayed in lags), strict=True))
    autocovariances, statistics = _autocovariances(X, grid, phases, cutoff, n_voxels)
    window = tuple(min(n, max(LEAST_EDGE, WINDOW_CUTOFFS * c)) for n, c in zip(grid.shape, cutoff, strict=True))
    sizes = []
    shapes = _window_shapes(grid, len(X), window)
    for done, shape in enumerate(shapes, start=1):
        n_windows, n_measured, spreads = measure_spread(X, grid, shape, cutoff, statistics)
        expected = tuple(math.sqrt(max(0.0, C.variance_of_mean(shape))) for C in autocovariances)
        sizes.append(WindowSize(shape, n_windows, n_measured, expected, tuple(spreads)))
        if progress is not None:
            progress(done, len(shapes))
    stationarity = _stationarity(X, grid, window, autocovariances)
    ranges = [_integral_range(C, k, sizes, window) for k, C in enumerate(autocovariances)]
    summaries = _summaries(X, grid, phases, profiles, autocovariances, ranges, stationarity, n_voxels)
    n_windows = int(_number(grid, len(X), window) * n_independent / len(X))
    recommended = _recommend(grid, tolerance, cutoff, window, n_windows, summaries)
    p_values = [p for phase in summaries for test in phase.stationarity.values() for p in test.p_values]
    stationary = min(p_values) * len(p_values) >= SIGNIFICANCE if p_values else None
    return Representativity(
        grid=grid,
        n_structures=len(X),
        n_independent=n_independent,
        tolerance=tolerance,
        phases=summaries,
        sizes=tuple(sizes),
        recommended=recommended,
        stationary=stationary,
        remarks=tuple(_remarks(grid, len(X), n_independent, decays, recommended, stationary)),
    )


def _independent(X: np.ndarray, grid: Grid) -> float:
    """Count the structures without overlap that show as much material; those of a periodic grid do not overlap."""
    if len(X) == 1 or grid.periodic or grid.phases == 1:
        return float(len(X))
    # Windows that follow one another are those that overlap.
    some = X[: max(2, MOST_HASHED // grid.n_voxels)]
    return independent_among(some, len(X))


def _integral_range(C: Autocovariance, k: int, sizes: Sequence[WindowSize], window: tuple[int, ...]) -> float:
    """Integral range in voxels from the autocovariance, or from the spread between windows if that shows a larger one.

    The autocovariance of a drift or of correlations that do not vanish is cut off, that of one structure with fixed
    volume fractions sums to nothing.
    """
    numerous = [size for size in sizes if size.n_measured >= LEAST_SPREAD]
    if not numerous or C.variance == 0:
        return max(0.0, C.integral_range)
    # Windows that are small against the correlations show too small a range, few large ones an uncertain one.
    first = next((size for size in numerous if math.prod(size.shape) >= math.prod(window)), numerous[-1])
    sd = first.phases[k].volume_fraction.sd or 0.0
    return max(C.integral_range, math.prod(first.shape) * sd**2 / C.variance)


def _profiles(X: np.ndarray, grid: Grid, phase: int) -> list[torch.Tensor]:
    """Autocovariance of a phase along each axis, over all structures together."""
    totals = [torch.zeros((), dtype=torch.float64) for _ in range(grid.ndim)]
    sum_of_means = 0.0
    for block in blocks_of(X):
        field = torch.from_numpy(_indicator(block, grid, phase))
        means = field.flatten(1).mean(1, dtype=torch.float64)
        sum_of_means += float(means.sum())
        for axis in range(grid.ndim):
            C, _ = autocovariance_profile(field, axis, periodic=grid.periodic, voxel_size=(1.0,) * grid.ndim)
            totals[axis] = totals[axis] + (C.double() + means.square()[:, None]).sum(0)
    return [total / len(X) - (sum_of_means / len(X)) ** 2 for total in totals]


def _indicator(block: np.ndarray, grid: Grid, phase: int) -> np.ndarray:
    return np.asarray(block if grid.phases == 1 else block == phase, dtype=np.float32)


def _autocovariances(
    X: np.ndarray, grid: Grid, phases: Sequence[int], cutoff: tuple[int, ...], n_voxels: int
) -> tuple[list[Autocovariance], np.ndarray]:
    """Autocovariance of each phase, and autocorrelations ``(*lag, phase)`` up to the cutoff."""
    most = [(n - 1) // 2 for n in grid.shape]
    reach = [min(limit, math.ceil(REACH * c)) for limit, c in zip(most, cutoff, strict=True)]
    pairs = [(phase, phase) for phase in phases]
    options: dict[str, Any] = {"correlations": pairs, "periodic": grid.periodic, "cutoff": reach}
    if grid.n_voxels > BLOCK_VOXELS:
        phases_of_labels = None if grid.phases == 1 else grid.phases
        total = sum(two_point_stats_by_blocks(sample, phases=phases_of_labels, **options) for sample in X)
    else:
        options |= {"phases": grid.phases, "spatial_dims": grid.ndim}
        total = sum(two_point_stats(block, **options).sum(axis=0, dtype=np.float64) for block in blocks_of(X))
    mean = np.asarray(total) / len(X)
    of_blocks = (volume_fractions(block, spatial_dims=grid.ndim, phases=grid.phases) for block in blocks_of(X))
    fractions = sum(values.sum(axis=0, dtype=np.float64) for values in of_blocks)
    autocovariances = [
        estimate_autocovariance(
            torch.from_numpy(mean[..., k]), float(np.asarray(fractions)[phase]) / len(X), n_voxels, reach
        )
        for k, phase in enumerate(phases)
    ]
    inner = tuple(slice(r - min(r, c), r + min(r, c) + 1) for r, c in zip(reach, cutoff, strict=True))
    return autocovariances, mean[inner]


def _window_shapes(grid: Grid, n_structures: int, window: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shapes of windows of equal edge lengths in steps of sqrt(2), and the recommended one, from small to large."""
    voxel = grid.voxel_size or (1.0,) * grid.ndim
    shapes = {window} if _number(grid, n_structures, window) >= 2 else set()
    edge = max(LEAST_EDGE * min(voxel), LEAST_EDGE / 2 * max(voxel))
    while True:
        shape = tuple(min(n, max(2, round(edge / size))) for n, size in zip(grid.shape, voxel, strict=True))
        if _number(grid, n_structures, shape) < LEAST_NUMBER:
            break
        shapes.add(shape)
        if shape == grid.shape:
            break
        edge *= math.sqrt(2)
    return sorted(shapes, key=math.prod)


def _number(grid: Grid, n_structures: int, shape: Sequence[int]) -> int:
    return n_structures * math.prod(n // edge for n, edge in zip(grid.shape, shape, strict=True))


def _stationarity(
    X: np.ndarray, grid: Grid, window: tuple[int, ...], autocovariances: Sequence[Autocovariance]
) -> list[dict[str, Stationarity]]:
    """Tests of each phase, on windows half as large as the recommended one, which are nearly independent."""
    edges = tuple(max(2, edge // 2) for edge in window)
    cut = disjoint_windows(X, edges)
    positions = cut.shape[: -grid.ndim]
    values = measure_windows(cut.reshape(-1, *edges), grid, periodic=False, lengths=False)
    tests = []
    for k, C in enumerate(autocovariances):
        alone = C.variance_of_mean(edges)
        apart = C.variance * C.integral_range / math.prod(edges)
        inflation = max(1.0, apart / alone) if alone > 0 else 1.0
        measures = {"volume_fraction": values.fractions[:, k]}
        if values.surfaces.shape[1]:
            measures["specific_surface"] = values.surfaces[..., k].mean(axis=1)
        tests.append({name: stationarity_of(v.reshape(positions), inflation) for name, v in measures.items()})
    return tests


def _summaries(
    X: np.ndarray,
    grid: Grid,
    phases: Sequence[int],
    profiles: dict[int, list[torch.Tensor]],
    autocovariances: Sequence[Autocovariance],
    ranges: Sequence[float],
    stationarity: list[dict[str, Stationarity]],
    n_voxels: int,
) -> tuple[PhaseSummary, ...]:
    voxel = grid.voxel_size or (1.0,) * grid.ndim
    whole = measure_windows(X, grid, grid.periodic, lengths=False)
    summaries = []
    for k, (phase, C) in enumerate(zip(phases, autocovariances, strict=True)):
        lengths: list[float | None] = []
        for profile, size in zip(profiles[phase], voxel, strict=True):
            length, decays = decay_length(profile[None], size * torch.arange(len(profile), dtype=torch.float64))
            lengths.append(float(length[0]) if bool(decays[0]) else None)
        summaries.append(
            PhaseSummary(
                phase=phase,
                volume_fraction=float(whole.fractions[:, k].mean()),
                standard_error=math.sqrt(C.variance * ranges[k] / n_voxels),
                variance=C.variance,
                specific_surface=tuple(whole.surfaces[..., k].mean(axis=0).tolist()),
                correlation_length=tuple(lengths),
                integral_range=ranges[k] * math.prod(voxel),
                stationarity=stationarity[k],
            )
        )
    return tuple(summaries)


def _recommend(
    grid: Grid,
    tolerance: float,
    cutoff: tuple[int, ...],
    window: tuple[int, ...],
    n_windows: int,
    summaries: Sequence[PhaseSummary],
) -> Recommendation:
    volume = 0.0
    for phase in summaries:
        rarest = phase.volume_fraction
        if grid.phases == 2:
            rarest = min(rarest, 1 - rarest)
        if rarest > 0:
            volume = max(volume, phase.integral_range * phase.variance * (INTERVAL / (tolerance * rarest)) ** 2)
    voxel = grid.voxel_size or (1.0,) * grid.ndim
    edge = volume ** (1 / grid.ndim)
    # A window that represents the volume fraction must hold the correlations, too.
    rve = tuple(max(edges, math.ceil(edge / size)) for edges, size in zip(window, voxel, strict=True))
    return Recommendation(
        window=window,
        stride=tuple(max(1, edge // 2) for edge in window),
        cutoff=cutoff,
        holds=all(edge >= WINDOW_CUTOFFS * c for edge, c in zip(window, cutoff, strict=True)),
        n_windows=n_windows,
        n_needed=max(1, math.ceil(volume / math.prod(window) / math.prod(voxel))),
        rve=rve,
        fits=all(edges <= n for edges, n in zip(rve, grid.shape, strict=True)),
    )


def _remarks(
    grid: Grid,
    n_structures: int,
    n_independent: float,
    decays: Sequence[bool],
    recommended: Recommendation,
    stationary: bool | None,
) -> list[str]:
    remarks = []
    if n_independent < 0.9 * n_structures:
        remarks.append(
            f"The {n_structures} structures overlap and show as much material as {n_independent:.0f} would without."
        )
    slow = [name for name, decayed in zip(grid.axes or (), decays, strict=True) if not decayed]
    if slow:
        remarks.append(
            f"Along {', '.join(slow)} correlations do not vanish within a quarter of the structure: it has long-range "
            "order, or drifts, or is too small. The window is a lower bound there."
        )
    if stationary is False:
        remarks.append(
            "Parts of the structures differ more than the sampling noise of one material allows. The errors hold for a "
            "stationary part only: import such a part with --region, or keep structures of different materials apart."
        )
    if stationary is None:
        remarks.append("There are too few windows to test whether the structures are stationary.")
    if recommended.n_windows < recommended.n_needed:
        remarks.append(
            f"The structures hold {recommended.n_windows} windows, fewer than the {recommended.n_needed} needed: the "
            "volume fractions have a larger error than tolerated. Add images of the material, or tolerate more."
        )
    return remarks


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _lengths(lengths: Sequence[float | None]) -> str:
    return " x ".join("-" if length is None else f"{length:.3g}" for length in lengths)
