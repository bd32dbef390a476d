"""Exact numbers of voxels: the largest values of every row, as many as are wanted of each."""

from __future__ import annotations

import torch
from torch import Tensor


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
