"""Exact numbers of voxels: whole ones from amounts, and the largest values of a row, as many as are wanted."""

from __future__ import annotations

import torch
from torch import Tensor


def whole_counts(amounts: Tensor, n_voxels: int) -> Tensor:
    """Whole voxels ``(sample, phase)`` that add up to all, each within one of its amount.

    Parameters
    ----------
    amounts : Tensor ``(sample, phase)``
        Voxels of each phase, not necessarily whole, adding up to all.
    n_voxels : int
        Of a structure.
    """
    cumulative = amounts.double().cumsum(-1).round().long().clamp(max=n_voxels)
    cumulative[:, -1] = n_voxels
    return torch.diff(cumulative, dim=-1, prepend=torch.zeros_like(cumulative[:, :1]))


def largest(values: Tensor, counts: Tensor) -> Tensor:
    """Mask ``(sample, voxel)`` of the `counts[s]` largest values of each row; the earlier voxel wins a tie.

    Parameters
    ----------
    values : Tensor ``(sample, voxel)``
    counts : Tensor ``(sample,)``
        Integers from 0 to the number of voxels.
    """
    order = values.argsort(dim=1, descending=True, stable=True)
    ranks = torch.arange(values.shape[1], device=values.device).expand_as(order)
    return torch.zeros_like(values, dtype=torch.bool).scatter(1, order, ranks < counts.unsqueeze(1))
