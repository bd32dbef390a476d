"""Geometric properties of a phase: volume fraction, specific surface and correlation length."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ..grid import Grid
from ..model.decoders.statistics import SURFACE_AREA, VOLUME_FRACTION
from ..stats import lag_radii, lag_shape, radial_average, surface_area, two_point_stats, volume_fractions
from .property import Decoded, Measured, check_phase

# Normalised autocovariance at the correlation length, as for exp(-r / length).
DECAY = math.exp(-1)


@dataclass(frozen=True)
class VolumeFraction:
    """Volume fraction of a phase.

    Parameters
    ----------
    phase : int
    """

    phase: int = 1
    name: ClassVar[str] = "volume_fraction"
    unit: ClassVar[str] = ""
    differentiable: ClassVar[bool] = True

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Measure the labels ``(sample, *space)`` of structures."""
        check_phase(self.phase, grid)
        return Measured.of(volume_fractions(structures, phases=grid.phases)[:, self.phase])

    def soft(self, fractions: Tensor, grid: Grid) -> Tensor:
        """Values ``(sample,)`` of soft fractions ``(sample, phase, *space)``."""
        check_phase(self.phase, grid)
        return fractions[:, self.phase].flatten(1).mean(1)

    def from_latent(self, decoded: Decoded, grid: Grid) -> Tensor | None:
        """Values ``(sample,)`` that a decoder of statistics gives."""
        check_phase(self.phase, grid)
        fractions = decoded.descriptors.get(VOLUME_FRACTION)
        return None if fractions is None else fractions[:, self.phase]


@dataclass(frozen=True)
class SpecificSurface:
    """Interfacial area of a phase per unit volume, as measured by `matvae.stats.surface_area`.

    Parameters
    ----------
    phase : int
    isotropic : bool
        Whether to assume interfaces without a preferred orientation, as in `surface_area`.
    """

    phase: int = 1
    isotropic: bool = True
    name: ClassVar[str] = "specific_surface"
    unit: ClassVar[str] = "1/length"
    differentiable: ClassVar[bool] = True

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Measure the labels ``(sample, *space)`` of structures."""
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

    def from_latent(self, decoded: Decoded, grid: Grid) -> Tensor | None:
        """Values ``(sample,)`` that a decoder of statistics gives, which are those of isotropic interfaces."""
        check_phase(self.phase, grid)
        areas = decoded.descriptors.get(SURFACE_AREA)
        sizes = set(grid.voxel_size or (1.0,))
        return None if areas is None or not self.isotropic or len(sizes) > 1 else areas[:, self.phase] / sizes.pop()


@dataclass(frozen=True)
class CorrelationLength:
    """Lag at which the radially averaged autocovariance of a phase falls to 1/e of the variance.

    The autocovariance is ``S2(r) - S2(0)^2``, where S2 is the autocorrelation of the phase; it is interpolated linearly
    between the radii that occur on the grid. For a random medium with ``exp(-r / a)`` (Debye, Anderson & Brumberger,
    Journal of Applied Physics 28, 679 (1957)) the correlation length is a.

    Parameters
    ----------
    phase : int
    """

    phase: int = 1
    name: ClassVar[str] = "correlation_length"
    unit: ClassVar[str] = "length"
    differentiable: ClassVar[bool] = True

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Measure the labels ``(sample, *space)`` of structures."""
        check_phase(self.phase, grid)
        indicator = torch.from_numpy(np.ascontiguousarray(structures == self.phase)).double()
        lengths, decays = self._lengths(indicator, grid)
        values = torch.where(decays, lengths, torch.nan)
        return Measured.of(
            values.numpy(),
            f"The autocovariance of phase {self.phase} does not fall to 1/e of the variance within half the structure, "
            "or the structure consists of one phase.",
        )

    def soft(self, fractions: Tensor, grid: Grid) -> Tensor:
        """Values ``(sample,)`` of soft fractions ``(sample, phase, *space)``, at most half the structure."""
        check_phase(self.phase, grid)
        return self._lengths(fractions[:, self.phase], grid)[0]

    def _lengths(self, field: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
        """Correlation lengths ``(sample,)``, and whether the autocovariance falls to 1/e at all."""
        voxel_size = grid.voxel_size or (1.0,) * grid.ndim
        max_radius = min(n * size for n, size in zip(grid.shape, voxel_size, strict=True)) / 2
        # The explicit state axis matters: a tensor with 16 columns or fewer could be taken for discretised states.
        autocorrelation = two_point_stats(field.unsqueeze(1), state_axis=1, periodic=grid.periodic)
        S2 = radial_average(autocorrelation, max_radius=max_radius, voxel_size=voxel_size)[..., 0]
        lags = lag_shape(grid.shape, grid.periodic)
        radii = torch.from_numpy(lag_radii(lags, max_radius=max_radius, voxel_size=voxel_size)).to(S2)
        mean = field.flatten(1).mean(1, keepdim=True)
        variance = S2[:, :1] - mean.square()
        normalised = (S2 - mean.square()) / variance.clamp(min=1e-9)
        is_below = normalised <= DECAY
        decays = is_below.any(1) & (variance[:, 0] > 1e-9)
        # Interpolate between the first radius below the threshold and the one before it.
        index = is_below.int().argmax(1).clamp(min=1)
        rows = torch.arange(len(normalised), device=normalised.device)
        above, below = normalised[rows, index - 1], normalised[rows, index]
        weight = ((above - DECAY) / (above - below).clamp(min=1e-9)).clamp(0, 1)
        lengths = radii[index - 1] + weight * (radii[index] - radii[index - 1])
        return torch.where(decays, lengths, radii[-1]), decays
