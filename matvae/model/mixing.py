"""Augmentation of small training sets by mixtures of the statistics of neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

NEIGHBOURS = 16


def mix_neighbours(statistics: Tensor, share: float, generator: torch.Generator, rows: slice = slice(None)) -> Tensor:
    """Move some statistics of a batch part of the way towards those of a random near neighbour in the batch.

    The samples of a small set lie far apart, and the decoder is unconstrained between them. Windows of one material
    differ little, and the statistics of a third lie between those of two others: mixtures (Zhang et al., "mixup",
    ICLR 2018, eq. 1, here in statistics space and among neighbours only) teach the decoder that region.

    Parameters
    ----------
    statistics : Tensor ``(sample, *lag, correlation)``
    share : float
        Probability that a sample is mixed.
    generator : torch.Generator
        Source of the random numbers, on the device of the statistics.
    rows : slice
        Samples of the batch that are returned.

    Returns
    -------
    Tensor ``(sample, *lag, correlation)``
        Each sample keeps at least half of its weight.
    """
    n = len(statistics)
    if share <= 0 or n < 2:
        return statistics[rows]
    flat = statistics.flatten(1)
    distance = torch.cdist(flat, flat)
    distance.fill_diagonal_(torch.inf)
    near = distance.topk(min(NEIGHBOURS, n - 1), largest=False).indices
    chosen, mixed, weight = torch.rand(3, n, generator=generator, device=statistics.device, dtype=statistics.dtype)
    partner = near.gather(1, (chosen * near.shape[1]).long().clamp_max(near.shape[1] - 1).unsqueeze(1)).squeeze(1)
    weight = torch.where(mixed < share, 0.5 * weight, 0.0).unsqueeze(1)
    return torch.lerp(flat[rows], flat[partner[rows]], weight[rows]).unflatten(1, statistics.shape[1:])
