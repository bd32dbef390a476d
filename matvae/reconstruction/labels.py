"""From state fields to labels with exact numbers of voxels: the nearest structure with given volume fractions.

The nearest structure to fields X is the one that maximises sum_x X[label(x), x] under the numbers of voxels, a
transport problem. Its dual adds one offset to each phase, after which every voxel takes its largest.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..stats.exact_counts import largest

# Rounds in which the offsets of three or more phases converge.
ROUNDS = 4
# Bisections of the range of values for a threshold.
HALVINGS = 14
# Label of a voxel that may take any phase, where others are fixed.
FREE = 255


def nearest_labels(fields: Tensor, counts: Tensor, fixed: Tensor | None = None) -> Tensor:
    """Find the labels nearest to fields, with exact numbers of voxels of each phase.

    Parameters
    ----------
    fields : Tensor ``(sample, phase, *space)``
        Score of each phase in each voxel; indicator fields of a structure return that structure.
    counts : Tensor ``(sample, phase)``
        Number of voxels of each phase, adding up to all voxels.
    fixed : Tensor ``(sample, *space)``, optional
        Labels of fixed voxels, not more of a phase than `counts`; 255 elsewhere.

    Returns
    -------
    Tensor ``(sample, *space)``
        int64. Exactly the nearest structure for two phases, nearly so for more. The earlier voxel wins a tie.
    """
    flat = fields.flatten(2)
    n_phases = flat.shape[1]
    if fixed is not None:
        fixed = fixed.flatten(1)
        flat = _pinned(flat, fixed)
    if n_phases == 2:
        labels = largest(_decided(flat[:, 1] - flat[:, 0], fixed, 1), counts[:, 1]).long()
        return labels.view(fields.shape[0], *fields.shape[2:])
    offsets = flat.new_zeros(flat.shape[:2])
    for _ in range(ROUNDS):
        _settle(flat, counts, offsets)
    moved = flat + offsets.unsqueeze(-1)
    labels = torch.zeros(flat.shape[0], flat.shape[2], dtype=torch.long, device=flat.device)
    free = torch.ones_like(labels, dtype=torch.bool)
    for phase in range(1, n_phases):
        rivals = torch.cat([moved[:, :1], moved[:, phase + 1 :]], dim=1).amax(1)
        margin = (moved[:, phase] - rivals).masked_fill(~free, -torch.inf)
        chosen = largest(_decided(margin, fixed, phase), counts[:, phase])
        labels[chosen] = phase
        free &= ~chosen
    return labels.view(fields.shape[0], *fields.shape[2:])


def rough_indicators(fields: Tensor, counts: Tensor, offsets: Tensor, fixed: Tensor | None = None) -> Tensor:
    """Indicator fields of nearly the nearest labels, with nearly the right numbers of voxels, without sorting.

    Parameters
    ----------
    fields, counts, fixed
        As in `nearest_labels`.
    offsets : Tensor ``(sample, phase)``
        Of the phases; changed in place, as the start of the next call, which then hardly moves them.

    Returns
    -------
    Tensor ``(sample, phase, *space)``
    """
    if fixed is not None:
        of_free = rough_indicators(_pinned(fields.flatten(2), fixed.flatten(1)).view_as(fields), counts, offsets)
        return torch.where((fixed == FREE).unsqueeze(1), of_free, indicators(fixed, fields.shape[1]))
    flat = fields.flatten(2)
    if flat.shape[1] == 2:
        margin = flat[:, 1] - flat[:, 0]
        second = margin > _threshold(margin, counts[:, 1]).unsqueeze(1)
        return torch.stack([~second, second], dim=1).to(fields.dtype).view_as(fields)
    _settle(flat, counts, offsets)
    labels = (flat + offsets.unsqueeze(-1)).argmax(1)
    return torch.zeros_like(flat).scatter_(1, labels.unsqueeze(1), 1.0).view_as(fields)


def _pinned(flat: Tensor, fixed: Tensor) -> Tensor:
    """Fields ``(sample, phase, voxel)`` in which fixed voxels score highest for their phase and lowest for others."""
    best, worst = flat.amax((1, 2), keepdim=True), flat.amin((1, 2), keepdim=True)
    own = indicators(fixed, flat.shape[1])
    return torch.where((fixed == FREE).unsqueeze(1), flat, own * best + (1 - own) * worst)


def _decided(margin: Tensor, fixed: Tensor | None, phase: int) -> Tensor:
    """Preference of voxels for a phase, certain for the fixed ones."""
    if fixed is None:
        return margin
    decided = torch.where(fixed == phase, torch.inf, -torch.inf)
    return torch.where(fixed == FREE, margin, decided.to(margin))


def _settle(flat: Tensor, counts: Tensor, offsets: Tensor) -> None:
    """Coordinate ascent on the dual: move the offset of one phase until it has its number of voxels, then the next."""
    for phase in range(flat.shape[1]):
        moved = flat + offsets.unsqueeze(-1)
        moved[:, phase] = -torch.inf
        offsets[:, phase] = -_threshold(flat[:, phase] - moved.amax(1), counts[:, phase])


def _threshold(values: Tensor, counts: Tensor) -> Tensor:
    """Value that about `counts[s]` of each row exceed, midway between the last that does and the next."""
    low, high = values.amin(1), values.amax(1)
    for _ in range(HALVINGS):
        midpoint = (low + high) / 2
        too_many = (values > midpoint.unsqueeze(1)).sum(1) > counts
        low = torch.where(too_many, midpoint, low)
        high = torch.where(too_many, high, midpoint)
    above = values > high.unsqueeze(1)
    least = torch.where(above, values, torch.inf).amin(1)
    most = torch.where(above, -torch.inf, values).amax(1)
    return torch.where(torch.isfinite(least), (least + most) / 2, high)


def count_voxels(labels: Tensor, n_phases: int) -> Tensor:
    """Number of voxels ``(sample, phase)`` of each phase in labels ``(sample, *space)``."""
    return torch.stack([(labels == phase).flatten(1).sum(1) for phase in range(n_phases)], dim=1)


def indicators(labels: Tensor, n_phases: int) -> Tensor:
    """Indicator fields ``(sample, phase, *space)`` in single precision of labels ``(sample, *space)``."""
    return torch.stack([labels == phase for phase in range(n_phases)], dim=1).float()
