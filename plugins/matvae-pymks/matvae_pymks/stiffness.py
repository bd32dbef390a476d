"""Effective stiffness of structures, as a property that matvae measures and designs for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.optimize import Measured


@dataclass(frozen=True)
class Stiffness:
    """Effective stiffness component C11 along an axis: mean stress over mean strain, by `solve_fe`.

    The mean strain is along the axis and zero otherwise, so C11 of one phase is more than its Young's modulus.

    Parameters
    ----------
    elastic_modulus : sequence of float
        Young's modulus of each phase, in any unit; the stiffness is in it too.
    poissons_ratio : float or sequence of float
        Poisson's ratio of each phase, or of all, between -1 and 0.5.
    axis : int or str
        Along which to measure: its place in the array, or its name in the grid, such as ``"x"``.
    unit : str
        Unit of the moduli, to be written beside values: ``"GPa"``.

    Notes
    -----
    Structures are taken to repeat periodically, whether the grid says so or not, and voxels are squares or cubes. In
    2-D PyMKS scales the shear modulus by 2/3, which is neither plane strain nor plane stress; see `solve_fe`.
    """

    elastic_modulus: Sequence[float] = (1.0, 10.0)
    poissons_ratio: float | Sequence[float] = 0.3
    axis: int | str = 0
    unit: str = ""
    name: ClassVar[str] = "stiffness"
    differentiable: ClassVar[bool] = False

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Measure structures one by one.

        Parameters
        ----------
        structures : ndarray of int ``(sample, *space)``
            Phase labels, in 2-D or 3-D.
        grid : Grid
            What one structure is.

        Returns
        -------
        Measured
            NaN, with the reason, where the equations cannot be solved.

        Raises
        ------
        MissingExtraError
            If sfepy is not installed.
        InputError
            If the structures do not fit the grid, or the grid lacks the axis, has voxels that are no cubes, or not as
            many phases as there are moduli and ratios; or as `solve_fe` for moduli and ratios out of range.
        """
        from .elastic import solve_fe

        modulus, ratio = tuple(self.elastic_modulus), self.poissons_ratio
        ratios = (float(ratio),) * len(modulus) if isinstance(ratio, int | float) else tuple(ratio)
        self._check(structures, grid, len(modulus), len(ratios))
        turned = np.moveaxis(structures, 1 + self._place(grid), 1)
        # With no structure at all, what is wrong with the settings is found and raised.
        solve_fe(turned[:0], modulus, ratios)
        values, reasons = np.full(len(turned), np.nan), list[str | None]()
        for i in range(len(turned)):
            reason = None
            try:
                values[i] = solve_fe(turned[i : i + 1], modulus, ratios)["stress"][..., 0].mean()
            except InputError as error:
                reason = str(error)
            reasons.append(reason)
        return Measured(values, tuple(reasons))

    def _check(self, structures: np.ndarray, grid: Grid, n_moduli: int, n_ratios: int) -> None:
        if structures.ndim == 0 or structures.shape[1:] != grid.shape or structures.dtype.kind not in "iub":
            raise InputError(
                f"Phase labels (sample, *space) with space {grid.shape} are expected, but an array of "
                f"{structures.dtype} of shape {structures.shape} was given."
            )
        if not n_moduli == n_ratios == grid.phases:
            raise InputError(
                f"stiffness needs a modulus and a Poisson's ratio for each of the {grid.phases} phases, but "
                f"elastic_modulus={self.elastic_modulus} and poissons_ratio={self.poissons_ratio} were given."
            )
        if grid.voxel_size is not None and len(set(grid.voxel_size)) > 1:
            raise InputError(
                f"stiffness needs voxels that are squares or cubes, but their size is {grid.voxel_size}. Resample the "
                "structures."
            )

    def _place(self, grid: Grid) -> int:
        names = grid.axes or ()
        place = names.index(self.axis) if self.axis in names else self.axis
        if place not in range(grid.ndim):
            raise InputError(
                f"axis must be one of {', '.join(names)}, or its place from 0 to {grid.ndim - 1}, but {self.axis!r} "
                "was given."
            )
        return int(place)
