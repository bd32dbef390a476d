"""How common the neighbourhood of every voxel is in examples: an energy that keeps features as thick and as smooth.

The energy of a structure is the mean over its voxels of ``-log p(m, n | phase)``, where m of the 2 d neighbours that
share a face and n of the others in the 3 x 3 (x 3) neighbourhood have the same phase, and p is the frequency of these
numbers in the examples. A bridge one voxel wide or a loose end is expensive in a material without them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .labels import indicators


def neighbourhood_energies(labels: Tensor, n_phases: int) -> Tensor:
    """Energies ``(phase, m, n)`` of all numbers of equal neighbours, from examples ``(example, *space)``.

    Voxels at the border of the examples, whose neighbours are unknown, do not count. One voxel is added to each pair of
    numbers, so that none is impossible.
    """
    ndim = labels.ndim - 1
    fields = indicators(labels, n_phases)
    sizes = (2 * ndim + 1, 3**ndim - 2 * ndim)
    pairs = (_faces(fields) * sizes[1] + _others(fields)).long()
    inner = fields[(slice(None), slice(None), *[slice(1, -1)] * ndim)]
    energies = []
    for phase in range(n_phases):
        found = pairs[:, phase][inner[:, phase] > 0]
        counts = torch.bincount(found, minlength=sizes[0] * sizes[1]).double() + 1
        energies.append(-(counts / counts.sum()).log().view(sizes))
    return torch.stack(energies).float()


def neighbourhood_energy(fields: Tensor, energies: Tensor, periodic: bool) -> Tensor:
    """Energy ``(sample,)`` of a structure, with a gradient that predicts the change by a single voxel exactly.

    Parameters
    ----------
    fields : Tensor ``(sample, phase, *space)``
        Indicator fields, 0 and 1.
    energies : Tensor ``(phase, m, n)``
        Output of `neighbourhood_energies`.
    periodic : bool
        Whether a structure continues on its opposite side; if not, voxels at the border repeat themselves outside.
    """
    here = fields.detach()
    padded = _padded(here, periodic)
    faces, others = _faces(padded).long(), _others(padded).long()
    n_others = energies.shape[2]
    own = torch.arange(len(energies), device=fields.device).view(1, -1, *[1] * (fields.ndim - 2))
    table, place = energies.flatten(), (own * energies.shape[1] + faces) * n_others + others
    now = table[place]

    def step(stride: int, inside: Tensor) -> Tensor:
        """Change of the energy of voxels of a phase for one more, or fewer, equal neighbour; 0 where impossible."""
        changed = torch.where(inside, table[(place + stride).clamp(0, len(table) - 1)] - now, 0)
        return _padded(here * changed, periodic, outside=0.0)

    join = now + _faces(step(n_others, faces < energies.shape[1] - 1)) + _others(step(1, others < n_others - 1))
    leave = _faces(step(-n_others, faces > 0)) + _others(step(-1, others > 0)) - now
    n_voxels = here[0, 0].numel()
    gradient = torch.where(here > 0, -leave, join) / n_voxels
    value = (here * now).flatten(1).sum(1) / n_voxels
    slope = (fields * gradient).flatten(1).sum(1)
    return value + slope - slope.detach()


def neighbour_means(fields: Tensor, periodic: bool) -> Tensor:
    """Mean ``(sample, phase, *space)`` of fields over each voxel and its neighbours; borders repeat themselves."""
    return _boxes(_padded(fields, periodic)) / 3 ** (fields.ndim - 2)


def _faces(padded: Tensor) -> Tensor:
    """Sums over the neighbours that share a face, of all but the outermost voxels."""
    total = torch.zeros((), device=padded.device)
    for axis in range(2, padded.ndim):
        rows = padded
        for other in range(2, padded.ndim):
            rows = rows if other == axis else rows.narrow(other, 1, rows.shape[other] - 2)
        n = rows.shape[axis] - 2
        total = total + rows.narrow(axis, 0, n) + rows.narrow(axis, 2, n)
    return total


def _others(padded: Tensor) -> Tensor:
    """Sums over the neighbours that share an edge or a corner only."""
    centre = padded[(slice(None), slice(None), *[slice(1, -1)] * (padded.ndim - 2))]
    return _boxes(padded) - _faces(padded) - centre


def _boxes(padded: Tensor) -> Tensor:
    """Sums over each voxel and all its neighbours."""
    for axis in range(2, padded.ndim):
        n = padded.shape[axis] - 2
        padded = padded.narrow(axis, 0, n) + padded.narrow(axis, 1, n) + padded.narrow(axis, 2, n)
    return padded


def _padded(fields: Tensor, periodic: bool, outside: float | None = None) -> Tensor:
    sides = [1] * (2 * (fields.ndim - 2))
    if periodic:
        return functional.pad(fields, sides, "circular")
    if outside is None:
        return functional.pad(fields, sides, "replicate")
    return functional.pad(fields, sides, value=outside)
