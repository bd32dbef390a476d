"""Effective stiffness, as a property that matvae measures and designs structures for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.optimize import Measured
from matvae.optimize.property import axis_index, check_cubic_voxels, check_labels


@dataclass(frozen=True)
class Stiffness:
    """Effective stiffness component C11 along an axis: mean stress over mean strain, computed by `solve_fe`.

    The mean strain is uniaxial, so C11 of a single phase exceeds its Young's modulus.

    Parameters
    ----------
    elastic_modulus : sequence of float
        Young's modulus of each phase, in any unit; the stiffness has the same unit.
    poissons_ratio : float or sequence of float
        Poisson's ratio of all phases or of each, between -1 and 0.5.
    axis : int or str
        Direction of the strain: index of the axis in the array, or its name in the grid, such as ``"x"``.
    unit : str
        Unit of the moduli, which is reported with the values: ``"GPa"``.

    Notes
    -----
    Structures are treated as periodic, whether or not the grid is, and voxels as squares or cubes. In 2-D PyMKS scales
    the shear modulus by 2/3, which is neither plane strain nor plane stress; see `solve_fe`.
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
            Grid of one structure.

        Returns
        -------
        Measured
            NaN, with the reason, where the equations cannot be solved.

        Raises
        ------
        MissingExtraError
            If sfepy is not installed.
        InputError
            If the structures do not fit the grid, or the grid lacks the axis, has voxels that are not cubic, or has
            another number of phases than there are moduli and ratios; and as `solve_fe` for moduli and ratios that are
            out of range.
        """
        from .elastic import solve_fe

        modulus, ratio = tuple(self.elastic_modulus), self.poissons_ratio
        ratios = (float(ratio),) * len(modulus) if isinstance(ratio, int | float) else tuple(ratio)
        check_labels(structures, grid)
        if not len(modulus) == len(ratios) == grid.phases:
            raise InputError(
                f"stiffness requires a modulus and a Poisson's ratio for each of the {grid.phases} phases, but "
                f"elastic_modulus={self.elastic_modulus} and poissons_ratio={self.poissons_ratio} were given."
            )
        check_cubic_voxels(self.name, grid)
        oriented = np.moveaxis(structures, 1 + axis_index(self.axis, grid), 1)
        # Invalid settings raise here; with a structure, the error would become the reason for its missing value.
        solve_fe(oriented[:0], modulus, ratios)
        values, reasons = np.full(len(oriented), np.nan), list[str | None]()
        for i in range(len(oriented)):
            reason = None
            try:
                values[i] = solve_fe(oriented[i : i + 1], modulus, ratios)["stress"][..., 0].mean()
            except InputError as error:
                reason = str(error)
            reasons.append(reason)
        return Measured(values, tuple(reasons))
