"""Properties of the shape of one phase: its volume fraction, its surface and how far it is correlated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..grid import Grid
from ..stats import lag_radii, lag_shape, radial_average, surface_area, two_point_stats, volume_fractions
from .property import Measured

# Correlation to which the autocovariance falls at the correlation length, as that of exp(-r / length) does.
FALL = math.exp(-1)


@dataclass(frozen=True)
class VolumeFraction:
    """Share of the voxels that are of a phase.

    Parameters
    ----------
    phase : int
    """

    phase: int = 1
    name: ClassVar[str] = "volume_fraction"
    unit: ClassVar[str] = ""
    differentiable: ClassVar[bool] = True

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Values of structures of labels ``(sample, *space)``."""
        check_phase(self.phase, grid)
        return Measured.of(volume_fractions(structures, phases=grid.phases)[:, self.phase])

    def soft(self, fractions: Tensor, grid: Grid) -> Tensor:
        """Values ``(sample,)`` of soft fractions ``(sample, phase, *space)``."""
        check_phase(self.phase, grid)
        return fractions[:, self.phase].flatten(1).mean(1)


@dataclass(frozen=True)
class SpecificSurface:
    """Interface of a phase per volume, as `matvae.stats.surface_area` measures it.

    Parameters
    ----------
    phase : int
    isotropic : bool
        Whether interfaces lie in all directions alike, as in `surface_area`.
    """

    phase: int = 1
    isotropic: bool = True
    name: ClassVar[str] = "specific_surface"
    unit: ClassVar[str] = "1/length"
    differentiable: ClassVar[bool] = True

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Values of structures of labels ``(sample, *space)``."""
        check_phase(self.phase, grid)
        areas = surface_area(
            structures,
            phases=grid.phases,
            periodic=grid.periodic,
            isotropic=self.isotropic,
            voxel_size=grid.voxel_size,
        )
        return Measured.of(areas[:, self.phase])

    def soft(self, fractions: Tensor, grid: Grid) -> Tensor:
        """Values ``(sample,)`` of soft fractions ``(sample, phase, *space)``."""
        check_phase(self.phase, grid)
        areas = surface_area(
            fractions,
            state_axis=1,
            periodic=grid.periodic,
            isotropic=self.isotropic,
            voxel_size=grid.voxel_size,
        )
        return areas[:, self.phase]


@dataclass(frozen=True)
class CorrelationLength:
    """Distance at which the autocovariance of a phase, averaged over directions, falls to 1/e of the variance.

    The autocovariance is ``S2(r) - S2(0)^2`` with the autocorrelation S2 of the phase; between two distances that
    occur on the grid it is taken to be straight. For the random medium with ``exp(-r / a)`` (Debye, Anderson &
    Brumberger, Journal of Applied Physics 28, 679 (1957)) the correlation length is a.

    Parameters
    ----------
    phase : int
    """

    phase: int = 1
    name: ClassVar[str] = "correlation_length"
    unit: ClassVar[str] = "length"
    differentiable: ClassVar[bool] = True

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Values of structures of labels ``(sample, *space)``."""
        check_phase(self.phase, grid)
        fields = torch.from_numpy(np.ascontiguousarray(structures == self.phase)).double()
        lengths, falls = self._lengths(fields, grid)
        values = torch.where(falls, lengths, torch.nan)
        return Measured.of(
            values.numpy(),
            f"The autocovariance of phase {self.phase} does not fall to 1/e of the variance within half the structure, "
            "or the structure is of one phase.",
        )

    def soft(self, fractions: Tensor, grid: Grid) -> Tensor:
        """Values ``(sample,)`` of soft fractions ``(sample, phase, *space)``; at most half the structure."""
        check_phase(self.phase, grid)
        return self._lengths(fractions[:, self.phase], grid)[0]

    def _lengths(self, field: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
        """Lengths ``(sample,)`` of fields, and whether the autocovariance falls far enough."""
        sizes = grid.voxel_size or (1.0,) * grid.ndim
        reach = min(n * size for n, size in zip(grid.shape, sizes, strict=True)) / 2
        # One state of its own axis: a tensor of 16 columns or fewer could be taken for discretised states.
        f = two_point_stats(field.unsqueeze(1), state_axis=1, periodic=grid.periodic)
        curve = radial_average(f, max_radius=reach, voxel_size=sizes)[..., 0]
        lags = lag_shape(grid.shape, grid.periodic)
        radii = torch.from_numpy(lag_radii(lags, max_radius=reach, voxel_size=sizes)).to(curve)
        mean = field.flatten(1).mean(1, keepdim=True)
        variance = curve[:, :1] - mean.square()
        ratio = (curve - mean.square()) / variance.clamp(min=1e-9)
        below = ratio <= FALL
        falls = below.any(1) & (variance[:, 0] > 1e-9)
        # The first radius that is low enough, and the one before it.
        at = below.int().argmax(1).clamp(min=1)
        rows = torch.arange(len(ratio), device=ratio.device)
        high, low = ratio[rows, at - 1], ratio[rows, at]
        share = ((high - FALL) / (high - low).clamp(min=1e-9)).clamp(0, 1)
        lengths = radii[at - 1] + share * (radii[at] - radii[at - 1])
        return torch.where(falls, lengths, radii[-1]), falls


def check_phase(phase: int, grid: Grid) -> None:
    """Refuse a phase that the grid does not have.

    Raises
    ------
    InputError
        Naming those there are.
    """
    if not 0 <= phase < grid.phases:
        raise InputError(f"A phase from 0 to {grid.phases - 1} is expected, but phase={phase} was given.")
