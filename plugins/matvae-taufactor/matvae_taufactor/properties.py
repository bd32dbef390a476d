"""Effective diffusivity and tortuosity factor of a phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.optimize import Measured
from matvae.optimize.property import axis_index, check_cubic_voxels, check_labels, check_phase

from .percolation import percolating

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class EffectiveDiffusivity:
    """Relative effective diffusivity D_eff / D_0 of a phase along an axis, between 0 and 1.

    Opposite sides of the structure along `axis` are held at different concentrations. D_eff is the mean flux times the
    length, divided by the difference in concentration; D_0 is the diffusivity within the phase. The other phases are
    impermeable. Electrical and thermal conduction through one phase are the same problem.

    Parameters
    ----------
    phase : int
        Label of the phase.
    axis : int or str
        Direction of the flow: index of the axis in the array, or its name in the grid, such as ``"x"``.
    tolerance : float
        The solution has converged when the fluxes through any two layers differ by at most this fraction.
    max_iter : int
        Number of iterations after which a structure is given up.
    device : str
        Device to compute on: ``"cpu"``, ``"cuda"`` or ``"auto"``. A GPU is worthwhile for volumes only.

    Notes
    -----
    Computed by TauFactor (Kench, Squires and Cooper 2023, doi 10.21105/joss.05358). If the grid is periodic, so are the
    sides parallel to the flow; the two sides perpendicular to it are always walls of fixed concentration. Voxels must
    be cubic, because TauFactor's solver for other voxels yields no flux if they are elongated along it.
    """

    phase: int = 1
    axis: int | str = 0
    tolerance: float = 1e-3
    max_iter: int = 10_000
    device: str = "cpu"
    name: ClassVar[str] = "effective_diffusivity"
    unit: ClassVar[str] = ""
    differentiable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < 1 or self.max_iter < 200:
            raise InputError(
                "tolerance must be a fraction between 0 and 1, and max_iter at least 200, because TauFactor tests for "
                f"convergence every 100 iterations, but tolerance={self.tolerance!r} and max_iter={self.max_iter!r} "
                "were given."
            )

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Measure structures one by one.

        Parameters
        ----------
        structures : ndarray of int ``(sample, *space)``
            Phase labels.
        grid : Grid
            Grid of one structure.

        Returns
        -------
        Measured
            NaN, with the reason, where the phase does not percolate or the iteration does not converge.

        Raises
        ------
        InputError
            If the structures do not fit the grid, or the grid lacks the phase or the axis, has fewer than 2 voxels
            along it, or has voxels that are not cubic.
        """
        from matvae.stats.device import resolve_device

        check_labels(structures, grid)
        check_phase(self.phase, grid)
        check_cubic_voxels(self.name, grid)
        axis = axis_index(self.axis, grid)
        if grid.shape[axis] < 2:
            raise InputError(
                f"{self.name} requires at least 2 voxels along axis {self.axis!r}, but structures have shape "
                f"{grid.shape}."
            )
        device = resolve_device(self.device)
        results = [self._measure_one(structure == self.phase, axis, grid, device) for structure in structures]
        return Measured(np.array([value for value, _ in results], float), tuple(reason for _, reason in results))

    def _measure_one(self, inside: np.ndarray, axis: int, grid: Grid, device: torch.device) -> tuple[float, str | None]:
        # Imported late, because TauFactor takes a second or more to import.
        from .solver import relative_diffusivity

        connected = percolating(inside, axis, grid.periodic)
        if not connected.any():
            return np.nan, f"Phase {self.phase} does not percolate along {(grid.axes or ())[axis]}."
        # Voxels that are not connected to both sides carry no flux and would slow down convergence.
        D = relative_diffusivity(np.moveaxis(connected, axis, 0), grid.periodic, self.tolerance, self.max_iter, device)
        if D is None:
            return np.nan, (
                f"The iteration did not converge to a tolerance of {self.tolerance:g} within {self.max_iter} steps. "
                "Pass a larger max_iter or tolerance."
            )
        return self._value(D, inside.mean()), None

    def _value(self, diffusivity: float, fraction: float) -> float:
        return diffusivity


@dataclass(frozen=True)
class Tortuosity(EffectiveDiffusivity):
    """Tortuosity factor of a phase: its volume fraction over its relative effective diffusivity, at least 1.

    It is 1 for straight channels along the axis and, for a winding channel of constant width, the square of its
    relative length. The volume fraction includes dead ends and closed pores.

    Parameters
    ----------
    phase, axis, tolerance, max_iter, device
        As in `EffectiveDiffusivity`.

    Notes
    -----
    Computed by TauFactor, and as defined there; see `EffectiveDiffusivity`.
    """

    name: ClassVar[str] = "tortuosity"

    def _value(self, diffusivity: float, fraction: float) -> float:
        return float(fraction / diffusivity)
