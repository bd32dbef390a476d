"""Geometric properties of a phase: volume fraction, specific surface and correlation length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ..grid import Grid
from ..model.decoders.statistics import SURFACE_AREA, VOLUME_FRACTION
from ..stats import surface_area, volume_fractions
from ..stats.correlation_length import autocovariance_profile, decay_length
from .property import Decoded, Measured, axis_index, check_phase


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
        return Measured.of(volume_fractions(structures, spatial_dims=grid.ndim, phases=grid.phases)[:, self.phase])

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
    axis : int or str, optional
        Axis of the test lines, by its index or its name, such as ``"x"``. None combines all axes.
    """

    phase: int = 1
    isotropic: bool = True
    axis: int | str | None = None
    name: ClassVar[str] = "specific_surface"
    unit: ClassVar[str] = "1/length"
    differentiable: ClassVar[bool] = True

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Measure the labels ``(sample, *space)`` of structures."""
        check_phase(self.phase, grid)
        areas = surface_area(
            structures,
            spatial_dims=grid.ndim,
            phases=grid.phases,
            periodic=grid.periodic,
            isotropic=self.isotropic,
            axis=None if self.axis is None else axis_index(self.axis, grid),
            voxel_size=grid.voxel_size,
        )
        return Measured.of(areas[:, self.phase])

    def soft(self, fractions: Tensor, grid: Grid) -> Tensor:
        """Values ``(sample,)`` of soft fractions ``(sample, phase, *space)``."""
        check_phase(self.phase, grid)
        areas = surface_area(
            fractions,
            spatial_dims=grid.ndim,
            state_axis=1,
            periodic=grid.periodic,
            isotropic=self.isotropic,
            axis=None if self.axis is None else axis_index(self.axis, grid),
            voxel_size=grid.voxel_size,
        )
        return areas[:, self.phase]

    def from_latent(self, decoded: Decoded, grid: Grid) -> Tensor | None:
        """Values ``(sample,)`` that a decoder of statistics gives, which are those of isotropic interfaces."""
        check_phase(self.phase, grid)
        areas = decoded.descriptors.get(SURFACE_AREA)
        sizes = set(grid.voxel_size or (1.0,))
        is_of_axis = self.axis is not None
        if areas is None or not self.isotropic or is_of_axis or len(sizes) > 1:
            return None
        return areas[:, self.phase] / sizes.pop()


@dataclass(frozen=True)
class CorrelationLength:
    """Lag at which the autocovariance of a phase falls to 1/e of the variance, as in `matvae.stats.correlation_length`.

    Parameters
    ----------
    phase : int
    axis : int or str, optional
        Axis along which lags lie, by its index or its name, such as ``"x"``. None averages over all directions.
    """

    phase: int = 1
    axis: int | str | None = None
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
        axis = None if self.axis is None else axis_index(self.axis, grid)
        voxel_size = grid.voxel_size or (1.0,) * grid.ndim
        return decay_length(*autocovariance_profile(field, axis, periodic=grid.periodic, voxel_size=voxel_size))
