"""How common the neighbourhood of every voxel is in examples: an energy that keeps features as thick and as smooth.

The energy of a structure is the mean over its voxels of -log p(n | phase), where n is the number of neighbours, among
the 3^d - 1 that share a face, an edge or a corner, that have the same phase, and p its frequency in the examples. A
bridge one voxel wide or a single voxel is expensive in a material without them, and cheap in one that has them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .labels import indicators

CONVOLVE = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


def neighbourhood_energies(labels: Tensor, n_phases: int) -> Tensor:
    """Energies ``(phase, number)`` of each number of equal neighbours, from examples ``(example, *space)``.

    Voxels at the border of the examples, whose neighbours are unknown, do not count. One voxel is added to each number,
    so that none is impossible.
    """
    ndim = labels.ndim - 1
    fields = indicators(labels, n_phases)
    numbers = _sums(fields, ndim).round().long()
    inner = (slice(None), slice(None), *[slice(1, -1)] * ndim)
    fields, numbers = fields[inner], numbers[inner]
    energies = []
    for phase in range(n_phases):
        found = numbers[:, phase][fields[:, phase] > 0]
        counts = torch.bincount(found, minlength=3**ndim).double() + 1
        energies.append(-(counts / counts.sum()).log())
    return torch.stack(energies).float()


def neighbourhood_energy(fields: Tensor, energies: Tensor, periodic: bool) -> Tensor:
    """Energy ``(sample,)`` of indicator fields, with a gradient that predicts the change by a single voxel exactly.

    Parameters
    ----------
    fields : Tensor ``(sample, phase, *space)``
        Indicator fields, 0 and 1.
    energies : Tensor ``(phase, number)``
        Output of `neighbourhood_energies`.
    periodic : bool
        Whether a structure continues on its opposite side; if not, voxels at the border repeat themselves outside.
    """
    ndim = fields.ndim - 2
    here = fields.detach()
    own = torch.arange(len(energies), device=fields.device).view(1, -1, *[1] * ndim)
    numbers = _sums(_padded(here, periodic), ndim, valid=True).round().long()
    last = energies.shape[1] - 1
    now = energies[own, numbers]
    # If a voxel joins or leaves a phase, those of its neighbours that have this phase count one more or one fewer.
    more = here * (energies[own, (numbers + 1).clamp(max=last)] - now)
    fewer = here * (energies[own, (numbers - 1).clamp(min=0)] - now)
    join = now + _sums(_padded(more, periodic, outside=0.0), ndim, valid=True)
    leave = -now + _sums(_padded(fewer, periodic, outside=0.0), ndim, valid=True)
    n_voxels = here[0, 0].numel()
    gradient = torch.where(here > 0, -leave, join) / n_voxels
    value = (here * now).flatten(1).sum(1) / n_voxels
    slope = (fields * gradient).flatten(1).sum(1)
    return value + slope - slope.detach()


def _sums(fields: Tensor, ndim: int, valid: bool = False) -> Tensor:
    """Sums over the neighbours of each voxel, without itself."""
    n, n_phases = fields.shape[:2]
    kernel = torch.ones(1, 1, *[3] * ndim, device=fields.device)
    kernel[(0, 0, *[1] * ndim)] = 0
    single = fields.flatten(0, 1).unsqueeze(1)
    sums = CONVOLVE[ndim](single, kernel, padding=0 if valid else 1)
    return sums.view(n, n_phases, *sums.shape[2:])


def _padded(fields: Tensor, periodic: bool, outside: float | None = None) -> Tensor:
    sides = [1] * (2 * (fields.ndim - 2))
    if periodic:
        return functional.pad(fields, sides, "circular")
    if outside is None:
        return functional.pad(fields, sides, "replicate")
    return functional.pad(fields, sides, value=outside)
