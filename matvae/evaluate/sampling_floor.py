"""Sampling floor: how far windows of one material differ by chance, and how the error of a model compares with it.

A window is a finite sample of its material. No model of windows knows the material better than they show it, and an
error below the sampling error of a window is below what another window of the same material would differ by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from ..data import Structures
from ..data.sample_blocks import sample_blocks
from ..data.subsets import select, spread_indices
from ..grid import Grid
from ..model.planning import is_layout
from ..shown import Shown
from ..stats import two_point_stats
from ..stats.correlation_length import autocovariance_profile
from ..stats.independent_windows import independent_among
from ..stats.integral_range import Autocovariance, decorrelation_lags, estimate_autocovariance
from .errors import Scatter
from .measure import block_size
from .window_spread import REACH, blocks_of, measured_phases

# Windows that are measured: in voxels altogether, but at least so many; and voxels among which overlaps are counted.
MOST_VOXELS, LEAST_MEASURED, MOST_HASHED = 1 << 20, 16, 1 << 20
# Smallest and largest windows, in voxels along an axis and altogether, and the least number of them.
LEAST_EDGE, LARGEST, LEAST_WINDOWS = 8, 1 << 22, 4
# Scatter of volume fractions over their sampling error above which windows are not of one material: the bias of the
# estimate, and standard deviations of the scatter of few windows.
BIAS, DEVIATIONS = 1.2, 3.0


@dataclass(frozen=True, repr=False)
class PhaseSampling(Shown):
    """Sampling error of the volume fraction of a phase.

    Parameters
    ----------
    phase : int
    volume_fraction : float
        Mean over the windows.
    sampling_error : float
        Standard deviation between windows of one material, from the integral range within windows.
    scatter : float or None
        Standard deviation between these windows, within their sources if the store names several; None if there are
        too few independent ones.
    """

    phase: int
    volume_fraction: float
    sampling_error: float
    scatter: float | None


@dataclass(frozen=True, repr=False)
class SamplingFloor(Shown):
    """Sampling errors of one window, and the error of a model beside them.

    Parameters
    ----------
    n_windows, n_measured : int
    n_independent : float
        Windows without overlap that show as much material.
    phases : tuple of PhaseSampling
        The second of two phases, or all of more.
    is_resolved : bool
        Whether correlations vanish within a window. If not, the sampling errors are lower bounds.
    statistics_error : float or None
        Root mean square distance between the 2-point statistics of a window and those of its material, relative to the
        latter, at the lags of the model. None if the windows differ more than windows of one material do, or if there
        are too few independent ones.
    decoded_error : float
        Root mean square distance between the statistics of a window and those decoded from its latent, likewise.
    """

    n_windows: int
    n_measured: int
    n_independent: float
    phases: tuple[PhaseSampling, ...]
    is_resolved: bool
    statistics_error: float | None
    decoded_error: float

    @property
    def ratio(self) -> float | None:
        """Decoded error over the sampling error of one window."""
        return self.decoded_error / self.statistics_error if self.statistics_error else None

    @property
    def sentence(self) -> str:
        """The numbers in words."""
        independent = (
            f"The {self.n_windows} windows show as much material as about {self.n_independent:.0f} without overlap. "
            if self.n_independent < 0.9 * self.n_windows
            else f"The {self.n_windows} windows do not overlap. "
        )
        errors = _listed(
            [
                f"{phase.sampling_error:.2g} for phase {phase.phase} (mean {phase.volume_fraction:.2g})"
                for phase in self.phases
            ]
        )
        lower = "This is a lower bound" if len(self.phases) == 1 else "These are lower bounds"
        bound = "" if self.is_resolved else f"{lower}, since correlations reach farther than a window. "
        fractions = f"The volume fraction of a single window has a sampling error of {errors}. {bound}"
        if self.ratio is None or self.statistics_error is None:
            return (
                f"{independent}{fractions}The statistics that the model decodes are off by "
                f"{_percent(self.decoded_error)}. There is no sampling error of 2-point statistics to compare this "
                f"with, since {self._why_none}."
            )
        return (
            f"{independent}{fractions}The 2-point statistics of a single window have a sampling error of "
            f"{_percent(self.statistics_error)}. Those that the model decodes are off by "
            f"{_percent(self.decoded_error)}, {self.ratio:.2g} times the sampling error of one window."
        )

    @property
    def _why_none(self) -> str:
        if any(phase.scatter is None for phase in self.phases):
            return "there are too few independent windows"
        return "the windows differ more than windows of one material do"

    def to_dict(self) -> dict[str, Any]:
        """Return the values in a form that JSON can hold."""
        return {**asdict(self), "ratio": self.ratio, "sentence": self.sentence}


def sampling_floor(estimator: Any, structures: Structures) -> tuple[SamplingFloor | None, str]:
    """Compare the error of decoded statistics with the sampling error of one window.

    Parameters
    ----------
    estimator : fitted estimator
        With `periodic`, `transform`, `statistics` and `inverse_statistics`.
    structures : Structures
        Windows of a material, on the grid of the estimator. A bounded number of them is measured.

    Returns
    -------
    (SamplingFloor or None, str)
        Where there is none, the reason.

    Notes
    -----
    Volume fractions have the variance that follows from the autocovariance within windows, so that differences between
    materials do not count. The scatter of 2-point statistics is measured between windows, which is their sampling error
    only if the windows are of one material (of each source): if their volume fractions scatter no more than that.
    """
    grid, n = replace(structures.grid, periodic=bool(estimator.periodic)), len(structures)
    reason = _reason_against(grid, n)
    if reason:
        return None, reason
    chosen = spread_indices(n, max(LEAST_MEASURED, MOST_VOXELS // grid.n_voxels))
    measured = select(structures, chosen)
    labels = measured.data.compute().astype(np.uint8)
    if labels.min() == labels.max():
        return None, "the structures consist of a single phase"
    if is_layout(torch.from_numpy(labels), grid.phases):
        return None, "these are layouts, in which the places of features matter, not windows of a material"
    n_independent = _n_independent(structures, grid)
    sources = measured.properties.get("source", np.zeros(len(labels)))
    _, groups = np.unique(sources, return_inverse=True)
    # Sampling errors about the means of the groups, which are known from so many independent windows only.
    n_free = min(len(labels), n_independent) - (groups.max() + 1)
    inflation = (n_free + groups.max() + 1) / n_free if n_free >= LEAST_WINDOWS - 1 else None
    phases, is_resolved = [], True
    for phase in measured_phases(grid):
        error, decays = _sampling_error(labels, grid, phase)
        fractions = (labels == phase).reshape(len(labels), -1).mean(1)
        scatter = None if inflation is None else math.sqrt(inflation * _variance_within(fractions, groups))
        phases.append(PhaseSampling(phase, float(fractions.mean()), error, scatter))
        is_resolved &= decays
    squared_norm, scattered, decoded = _statistics_errors(estimator, measured, groups)
    if squared_norm == 0:
        return None, "the structures lack the phases whose correlations the model holds"
    comparable = inflation is not None and _is_one_material(phases, n_free)
    return SamplingFloor(
        n_windows=n,
        n_measured=len(labels),
        n_independent=n_independent,
        phases=tuple(phases),
        is_resolved=is_resolved,
        statistics_error=math.sqrt(inflation * scattered / squared_norm) if inflation and comparable else None,
        decoded_error=math.sqrt(decoded / squared_norm),
    ), ""


def _listed(texts: Sequence[str]) -> str:
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _percent(share: float) -> str:
    # Two digits, but no exponent.
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.0f} %"


def _reason_against(grid: Grid, n: int) -> str:
    if grid.phases == 1:
        return "continuous fields have no phases whose volume fractions could be sampled"
    if n < LEAST_WINDOWS:
        return f"at least {LEAST_WINDOWS} windows are needed, and there are {n}"
    if min(grid.shape) < LEAST_EDGE:
        return f"windows of fewer than {LEAST_EDGE} voxels along an axis do not show their own sampling error"
    if grid.n_voxels > LARGEST:
        return f"the structures are large, more than {LARGEST} voxels; matvae representative measures such ones"
    return ""


def _n_independent(structures: Structures, grid: Grid) -> float:
    """Count the windows without overlap that show as much material; those of a periodic grid do not overlap."""
    if grid.periodic:
        return float(len(structures))
    # Windows that follow one another are those that overlap.
    some = structures.data[: max(LEAST_MEASURED, MOST_HASHED // grid.n_voxels)].compute()
    return independent_among(some, len(structures))


def _sampling_error(labels: np.ndarray, grid: Grid, phase: int) -> tuple[float, bool]:
    """Sampling error of a volume fraction, and whether correlations vanish within a window along every axis."""
    axes, n = range(grid.ndim), len(labels)
    profiles = [torch.zeros((), dtype=torch.float64) for _ in axes]
    squared_fraction = 0.0
    for block in blocks_of(labels):
        field = torch.from_numpy((block == phase).astype(np.float32))
        squared_fraction += float(field.flatten(1).mean(1, dtype=torch.float64).square().sum()) / n
        for axis in axes:
            C, _ = autocovariance_profile(field, axis, periodic=grid.periodic, voxel_size=(1.0,) * grid.ndim)
            profiles[axis] = profiles[axis] + C.double().sum(0) / n
    if profiles[0][0] <= 0:
        return 0.0, True
    lags, decays = decorrelation_lags(profiles, grid.n_voxels * n)
    reach = [min((size - 1) // 2, math.ceil(REACH * lag)) for size, lag in zip(grid.shape, lags, strict=True)]
    options: dict[str, Any] = {"phases": grid.phases, "correlations": [(phase, phase)], "cutoff": reach}
    S2 = sum(
        two_point_stats(block, spatial_dims=grid.ndim, periodic=grid.periodic, **options).sum(axis=0, dtype=np.float64)
        for block in blocks_of(labels)
    )
    within = torch.from_numpy(np.asarray(S2)[..., 0] / n)
    autocovariance = estimate_autocovariance(within, math.sqrt(squared_fraction), grid.n_voxels, reach)
    return math.sqrt(max(0.0, _variance(autocovariance, grid))), all(decays)


def _variance(C: Autocovariance, grid: Grid) -> float:
    """Variance of the mean over a window, or over a whole period, in which every lag has all voxel pairs."""
    return C.variance * C.integral_range / grid.n_voxels if grid.periodic else C.variance_of_mean(grid.shape)


def _statistics_errors(estimator: Any, structures: Structures, groups: np.ndarray) -> tuple[float, float, float]:
    """Mean squares over windows: of statistics, of their deviations from the group's mean, and of decoded ones."""
    scatters = [Scatter() for _ in range(groups.max() + 1)]
    decoded, n = 0.0, len(structures)
    for start, block in sample_blocks(structures.data, block_size(estimator)):
        f = np.asarray(estimator.statistics(block))
        g = np.asarray(estimator.inverse_statistics(estimator.transform(block))).reshape(f.shape)
        decoded += float(np.square(f - g, dtype=np.float64).sum())
        of_block = groups[start : start + len(block)]
        for group in np.unique(of_block):
            scatters[group].add(f[of_block == group])
    squared_norm = sum(scatter.n * float(np.square(np.asarray(scatter.mean)).sum()) for scatter in scatters)
    return squared_norm / n, sum(scatter.squares for scatter in scatters) / n, decoded / n


def _variance_within(values: np.ndarray, groups: np.ndarray) -> float:
    return sum(float(values[groups == g].var()) * int((groups == g).sum()) for g in np.unique(groups)) / len(values)


def _is_one_material(phases: Sequence[PhaseSampling], n_free: float) -> bool:
    """Whether volume fractions scatter no more than by sampling, as far as so many independent windows show."""
    limit = BIAS * (1 + DEVIATIONS / math.sqrt(2 * n_free))
    return all(phase.scatter is not None and phase.scatter <= limit * phase.sampling_error for phase in phases)
