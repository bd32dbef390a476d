"""Diffusion through one structure, by TauFactor's solvers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from taufactor import PeriodicSolver, Solver


class _Quiet:
    """TauFactor prints when it ends without convergence, whatever `verbose` is; here that is told by a value."""

    def _end_simulation(self, *args: Any) -> None:
        pass


class Walls(_Quiet, Solver):
    """Nothing passes the sides along the flow."""


class Periodic(_Quiet, PeriodicSolver):
    """What leaves through a side along the flow comes in at the opposite one."""


class PeriodicPlane(Periodic):
    """Periodic, without the third axis that TauFactor gives an image.

    On that axis every voxel would be its own two neighbours: the solution stays, but takes 20 times the iterations.
    """

    def init_conductive_neighbours(self, img: torch.Tensor) -> torch.Tensor:
        """Count the neighbours in the plane; TauFactor stores infinity where there are none."""
        neighbours = super().init_conductive_neighbours(img) - 2
        neighbours[neighbours == 0] = torch.inf
        return neighbours

    def apply_boundary_conditions(self) -> None:
        """Wrap the plane, and take what is beyond it on the third axis out of the sums."""
        super().apply_boundary_conditions()
        self.field[..., 0] = self.field[..., -1] = 0


def relative_diffusivity(
    inside: np.ndarray, periodic: bool, tolerance: float, max_iter: int, device: torch.device
) -> float | None:
    """Effective diffusivity along the first axis over that within the phase.

    Parameters
    ----------
    inside : ndarray of bool ``(*space)``
        Where the phase is. All of it must be connected to both sides: of another, TauFactor makes numbers like -6e6.
    periodic : bool
        Whether the structure continues across the sides along the flow.
    tolerance : float
        Iteration ends when the fluxes through any two layers differ by at most this fraction of the largest.
    max_iter : int
        It also ends after so many iterations.
    device : torch.device
        Where to compute.

    Returns
    -------
    float or None
        None without convergence.
    """
    # An axis of one voxel along the flow adds nothing, periodic or not.
    image = inside.reshape(len(inside), *(n for n in inside.shape[1:] if n > 1)).astype(np.uint8)
    kind: type[Any] = Walls
    if periodic and image.ndim > 1:
        # Voxels are updated in turns by the colours of a chequerboard. Around an odd period neighbours have the same
        # colour, and the iteration diverges; twice an odd period is an even one.
        image = np.tile(image, (1, *(1 + n % 2 for n in image.shape[1:])))
        kind = PeriodicPlane if image.ndim == 2 else Periodic
    solver = kind(image.reshape(*image.shape, *(1,) * (3 - image.ndim)), device=device)
    solver.solve(iter_limit=max_iter, verbose=False, conv_crit=tolerance)
    return float(solver.D_eff[0]) if solver.converged else None
