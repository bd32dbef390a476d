"""Steady-state diffusion through one structure, solved by TauFactor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from taufactor import PeriodicSolver, Solver


class _Quiet:
    """Suppress the message that TauFactor prints when it does not converge, even with ``verbose=False``."""

    def _end_simulation(self, *args: Any) -> None:
        pass


class ImpermeableSides(_Quiet, Solver):
    """No flux through the sides parallel to the flow."""


class PeriodicSides(_Quiet, PeriodicSolver):
    """Periodic sides parallel to the flow."""


class PeriodicImage(PeriodicSides):
    """Periodic 2-D solver without the third axis that TauFactor gives an image.

    Along that axis every voxel would be its own neighbour on both sides, which does not change the solution but takes
    20 times as many iterations.
    """

    def init_conductive_neighbours(self, img: torch.Tensor) -> torch.Tensor:
        """Count the neighbours within the plane; TauFactor stores infinity for none."""
        neighbours = super().init_conductive_neighbours(img) - 2
        neighbours[neighbours == 0] = torch.inf
        return neighbours

    def apply_boundary_conditions(self) -> None:
        """Wrap the plane, and exclude the padding along the third axis from the sums."""
        super().apply_boundary_conditions()
        self.field[..., 0] = self.field[..., -1] = 0


def relative_diffusivity(
    inside: np.ndarray, periodic: bool, tolerance: float, max_iter: int, device: torch.device
) -> float | None:
    """Relative effective diffusivity along the first axis.

    Parameters
    ----------
    inside : ndarray of bool ``(*space)``
        Voxels of the phase, all of which must be connected to both sides: otherwise TauFactor returns meaningless
        numbers such as -6e6.
    periodic : bool
        Whether the structure is periodic across the sides parallel to the flow.
    tolerance : float
        The iteration stops when the fluxes through any two layers differ by at most this fraction of the largest.
    max_iter : int
        Maximum number of iterations.
    device : torch.device

    Returns
    -------
    float or None
        None if the iteration does not converge.
    """
    # An axis of one voxel parallel to the sides does not affect the solution, periodic or not.
    image = inside.reshape(len(inside), *(n for n in inside.shape[1:] if n > 1)).astype(np.uint8)
    solver_class: type[Any] = ImpermeableSides
    if periodic and image.ndim > 1:
        # TauFactor updates voxels in a chequerboard pattern. Across a period of odd length neighbours would have the
        # same colour, and the iteration would diverge; two periods have even length.
        image = np.tile(image, (1, *(1 + n % 2 for n in image.shape[1:])))
        solver_class = PeriodicImage if image.ndim == 2 else PeriodicSides
    solver = solver_class(image.reshape(*image.shape, *(1,) * (3 - image.ndim)), device=device)
    solver.solve(iter_limit=max_iter, verbose=False, conv_crit=tolerance)
    return float(solver.D_eff[0]) if solver.converged else None
