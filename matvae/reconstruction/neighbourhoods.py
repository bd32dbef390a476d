"""How common the neighbourhoods of voxels are in examples: an energy that keeps features as thick and as smooth.

The neighbourhood of a voxel is described by two numbers: m of the 2 d neighbours that share a face and n of the others
in the 3 x 3 (x 3) neighbourhood have its phase. With q the frequencies of these pairs in a structure and p in the
examples,

    E = sum_phase v(phase) sum_mn q(m, n | phase) [log q(m, n | phase) / 2 - log p(m, n | phase)].

Bridges one voxel wide, loose ends and single voxels are expensive where the examples have few of them. The first term
keeps interfaces from becoming smoother than in the examples; without its factor 1/2 the sum would be the divergence of
Kullback and Leibler, which is low for as many loose ends as there are rough places in the examples, and lets them grow.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .labels import indicators

# Weight of the entropy of a structure's own neighbourhoods; 1 for the divergence of Kullback and Leibler.
ENTROPY = 0.5
# Axes of a table of costs ``(sample, phase, m, n)``.
M, N = 2, 3


def neighbourhood_frequencies(labels: Tensor, n_phases: int) -> Tensor:
    """Frequencies ``(phase, m, n)`` of the numbers of equal neighbours in examples ``(example, *space)``.

    They add up to one for each phase. Voxels at the border, whose neighbours are unknown, do not count.
    """
    fields = indicators(labels, n_phases)
    inner = fields[(slice(None), slice(None), *[slice(1, -1)] * (labels.ndim - 1))]
    counts = _counts(_pairs(_faces(fields), _others(fields)), inner).sum(0, keepdim=True)
    return _frequencies(counts)[0]


def neighbourhood_energy(fields: Tensor, frequencies: Tensor, periodic: bool) -> Tensor:
    """Energy E ``(sample,)`` of structures, with a gradient that predicts the change by a single voxel.

    Parameters
    ----------
    fields : Tensor ``(sample, phase, *space)``
        Indicator fields, 0 and 1.
    frequencies : Tensor ``(phase, m, n)``
        Output of `neighbourhood_frequencies`.
    periodic : bool
        Whether a structure continues on its opposite side; if not, voxels at the border repeat themselves outside.
    """
    here = fields.detach()
    padded = padded_by_one(here, periodic)
    pairs = _pairs(_faces(padded), _others(padded))
    costs = ENTROPY * _frequencies(_counts(pairs, here)).log() - frequencies.log()
    first = torch.arange(costs.shape[0] * costs.shape[1], device=fields.device) * costs[0, 0].numel()
    place = first.view(*costs.shape[:2], *[1] * (fields.ndim - 2)) + pairs
    now = costs.flatten()[place]

    def step(axis: int, change: int) -> Tensor:
        """Change of the cost of voxels of a phase for one more, or fewer, equal neighbour; 0 where impossible."""
        n = costs.shape[axis]
        changed = costs.index_select(axis, (torch.arange(n, device=costs.device) + change).clamp(0, n - 1)) - costs
        return padded_by_one(changed.flatten()[place].mul_(here), periodic, outside=0.0)

    join = _faces(step(M, +1)).add_(_others(step(N, +1))).add_(now)
    leave = _faces(step(M, -1)).add_(_others(step(N, -1))).sub_(now)
    n_voxels = here[0, 0].numel()
    gradient = torch.where(here > 0, leave.neg_(), join).div_(n_voxels)
    value = (here * now).flatten(1).sum(1) / n_voxels
    slope = (fields * gradient).flatten(1).sum(1)
    return value + slope - slope.detach()


def _pairs(faces: Tensor, others: Tensor) -> Tensor:
    """Number of each pair (m, n) in the order of a table ``(m, n)``; faces and others have as many dimensions."""
    return (faces * _sizes(faces.ndim - 2)[1] + others).long()


def _sizes(ndim: int) -> tuple[int, int]:
    """Numbers of values that m and n can have."""
    return 2 * ndim + 1, 3**ndim - 2 * ndim


def _counts(pairs: Tensor, inside: Tensor) -> Tensor:
    """Numbers of voxels ``(sample, phase, m, n)`` of each phase with each pair of numbers."""
    sizes = _sizes(inside.ndim - 2)
    counts = inside.new_zeros(*inside.shape[:2], sizes[0] * sizes[1])
    return counts.scatter_add_(2, pairs.flatten(2), inside.flatten(2)).unflatten(2, sizes)


def _frequencies(counts: Tensor) -> Tensor:
    """Frequencies for each phase; one voxel is added to each pair of numbers, so that none is impossible."""
    counts = counts + 1
    return counts / counts.sum((2, 3), keepdim=True)


def neighbour_means(fields: Tensor, periodic: bool) -> Tensor:
    """Mean ``(sample, phase, *space)`` of fields over each voxel and its neighbours; borders repeat themselves."""
    return _boxes(padded_by_one(fields, periodic)) / 3 ** (fields.ndim - 2)


def _faces(padded: Tensor) -> Tensor:
    """Sums over the neighbours that share a face, of all but the outermost voxels."""
    sides: list[Tensor] = []
    for axis in range(2, padded.ndim):
        rows = padded
        for other in range(2, padded.ndim):
            rows = rows if other == axis else rows.narrow(other, 1, rows.shape[other] - 2)
        sides += [rows.narrow(axis, 0, rows.shape[axis] - 2), rows.narrow(axis, 2, rows.shape[axis] - 2)]
    total = sides[0] + sides[1]
    for side in sides[2:]:
        # In place: fresh memory costs more than the addition.
        total += side
    return total


def _others(padded: Tensor) -> Tensor:
    """Sums over the neighbours that share an edge or a corner only."""
    centre = padded[(slice(None), slice(None), *[slice(1, -1)] * (padded.ndim - 2))]
    return _boxes(padded).sub_(_faces(padded)).sub_(centre)


def _boxes(padded: Tensor) -> Tensor:
    """Sums over each voxel and all its neighbours."""
    for axis in range(2, padded.ndim):
        n = padded.shape[axis] - 2
        padded = (padded.narrow(axis, 0, n) + padded.narrow(axis, 1, n)).add_(padded.narrow(axis, 2, n))
    return padded


def padded_by_one(fields: Tensor, periodic: bool, outside: float | None = None) -> Tensor:
    """Fields ``(sample, phase, *space)`` with one more voxel on all sides.

    These are the opposite ones if periodic, otherwise the value `outside`, or copies of the voxels at the border.
    """
    sides = [1] * (2 * (fields.ndim - 2))
    if periodic:
        return functional.pad(fields, sides, "circular")
    if outside is None:
        return functional.pad(fields, sides, "replicate")
    return functional.pad(fields, sides, value=outside)
