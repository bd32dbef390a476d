"""Effective diffusivity and tortuosity factor of a phase, measured on structures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.optimize import Measured
from matvae.optimize.property import check_phase

from .percolation import percolating

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class EffectiveDiffusivity:
    """How well a phase lets something diffuse through the structure: D_eff / D_0, between 0 and 1.

    One side of the structure along `axis` is held at one concentration and the opposite side at another; D_eff is
    mean flux times length over their difference, and D_0 the diffusivity within the phase. The other phases let
    nothing pass. Electrical and thermal conduction through one phase are the same problem.

    Parameters
    ----------
    phase : int
        Label of the phase.
    axis : int or str
        Along which to measure: its place in the array, or its name in the grid, such as ``"x"``.
    tolerance : float
        The solution is good enough when the fluxes through any two layers differ by at most this fraction.
    max_iter : int
        Iterations after which a structure is given up.
    device : str
        Where to compute: ``"cpu"``, ``"cuda"``, ``"auto"``. A GPU pays for volumes only.

    Notes
    -----
    By TauFactor (Kench, Squires and Cooper 2023, doi 10.21105/joss.05358). Where the grid is periodic, so are the sides
    along the flow; across the flow there are always walls of given concentration. Voxels are cubes.
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
                "tolerance is a fraction between 0 and 1, and max_iter at least 200, as TauFactor compares every 100 "
                f"iterations, but tolerance={self.tolerance!r} and max_iter={self.max_iter!r} were given."
            )

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Measure structures one by one.

        Parameters
        ----------
        structures : ndarray of int ``(sample, *space)``
            Phase labels.
        grid : Grid
            What one structure is.

        Returns
        -------
        Measured
            NaN, with the reason, where the phase does not percolate or the iteration does not converge.

        Raises
        ------
        InputError
            If the structures do not fit the grid, or the grid lacks the phase or the axis, has fewer than 2 voxels
            along it, or has voxels that are no cubes.
        """
        from matvae.stats.device import resolve_device

        self._check(structures, grid)
        axis = self._place(grid)
        device = resolve_device(self.device)
        found = [self._measure_one(structure == self.phase, axis, grid, device) for structure in structures]
        return Measured(np.array([value for value, _ in found], float), tuple(reason for _, reason in found))

    def _measure_one(self, inside: np.ndarray, axis: int, grid: Grid, device: torch.device) -> tuple[float, str | None]:
        # TauFactor takes a second or more to import.
        from .solver import relative_diffusivity

        through = percolating(inside, axis, grid.periodic)
        if not through.any():
            return np.nan, f"Phase {self.phase} does not percolate along {(grid.axes or ())[axis]}."
        # What is not connected to both sides carries nothing, and would slow convergence.
        D = relative_diffusivity(np.moveaxis(through, axis, 0), grid.periodic, self.tolerance, self.max_iter, device)
        if D is None:
            return np.nan, (
                f"The iteration did not converge to a tolerance of {self.tolerance:g} within {self.max_iter} steps. "
                "Pass a larger max_iter or tolerance."
            )
        return self._value(D, inside.mean()), None

    def _value(self, diffusivity: float, fraction: float) -> float:
        return diffusivity

    def _check(self, structures: np.ndarray, grid: Grid) -> None:
        if structures.ndim == 0 or structures.shape[1:] != grid.shape or structures.dtype.kind not in "iub":
            raise InputError(
                f"Phase labels (sample, *space) with space {grid.shape} are expected, but an array of "
                f"{structures.dtype} of shape {structures.shape} was given."
            )
        check_phase(self.phase, grid)
        if grid.voxel_size is not None and len(set(grid.voxel_size)) > 1:
            raise InputError(
                f"{self.name} needs voxels that are squares or cubes, but their size is {grid.voxel_size}. TauFactor's "
                "solver for others gives no flux where they are long along it: resample the structures."
            )

    def _place(self, grid: Grid) -> int:
        names = grid.axes or ()
        place = names.index(self.axis) if self.axis in names else self.axis
        if place not in range(grid.ndim) or grid.shape[int(place)] < 2:
            raise InputError(
                f"axis must be one of {', '.join(names)}, or its place from 0 to {grid.ndim - 1}, and have at least 2 "
                f"voxels, but {self.axis!r} of structures of shape {grid.shape} was given."
            )
        return int(place)


@dataclass(frozen=True)
class Tortuosity(EffectiveDiffusivity):
    """Tortuosity factor of a phase: its volume fraction over its relative effective diffusivity, at least 1.

    It is 1 for straight channels along the axis, and the square of the relative length of the path for a channel of
    even width that winds. The volume fraction counts all of the phase, dead ends and closed pores too.

    Parameters
    ----------
    phase, axis, tolerance, max_iter, device
        As of `EffectiveDiffusivity`.

    Notes
    -----
    By TauFactor, whose definition this is; see `EffectiveDiffusivity`.
    """

    name: ClassVar[str] = "tortuosity"

    def _value(self, diffusivity: float, fraction: float) -> float:
        return float(fraction / diffusivity)
