"""Exact numbers of voxels: rounding to whole voxels, and selecting a given number of the largest values."""

from __future__ import annotations

import torch
from torch import Tensor


def whole_counts(amounts: Tensor, n_voxels: int) -> Tensor:
    """Round amounts of phases to whole voxels ``(sample, phase)``, each within one of its amount, with the same total.

    Parameters
    ----------
    amounts : Tensor ``(sample, phase)``
        Voxels of each phase, not necessarily whole, which add up to `n_voxels`.
    n_voxels : int
        Number of voxels in a structure.
    """
    cumulative = amounts.double().cumsum(-1).round().long().clamp(max=n_voxels)
    cumulative[:, -1] = n_voxels
    return torch.diff(cumulative, dim=-1, prepend=torch.zeros_like(cumulative[:, :1]))


def largest(values: Tensor, counts: Tensor) -> Tensor:
    """Return a mask ``(sample, voxel)`` of the `counts[s]` largest values of each row; ties go to the earlier voxel.

    Parameters
    ----------
    values : Tensor ``(sample, voxel)``
    counts : Tensor ``(sample,)``
        Integers from 0 to the number of voxels.
    """
    order = values.argsort(dim=1, descending=True, stable=True)
    ranks = torch.arange(values.shape[1], device=values.device).expand_as(order)
    return torch.zeros_like(values, dtype=torch.bool).scatter(1, order, ranks < counts.unsqueeze(1))
