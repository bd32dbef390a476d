"""Coarse grids: block means of structures, and the expected statistics of these means.

Training large structures on a coarse grid takes a fraction of the time and already determines the positions of
features; their length and thickness to the voxel are learned in the rest of the training.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

# Shorter axes are not coarsened: their steps are cheap, and a step on the full grid teaches more.
LARGE_VOXELS = 65
# The coarsest grid of a longer axis has about this many voxels.
COARSE_VOXELS = 32
POOLING = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


def coarsest(shape: Sequence[int]) -> tuple[int, ...]:
    """Voxels along each axis per voxel of the coarsest grid: axes beyond 64 are halved while even, down to 32."""
    factors = []
    for n in shape:
        k = 1
        while n >= LARGE_VOXELS and n // k > COARSE_VOXELS and n % (2 * k) == 0:
            k *= 2
        factors.append(k)
    return tuple(factors)


def levels(coarse: Sequence[int]) -> list[tuple[int, ...]]:
    """Factors of the coarse grids, from coarsest to finest; each grid is twice as fine as the one before."""
    chain = []
    while max(coarse) > 1:
        chain.append(tuple(coarse))
        coarse = [max(1, k // 2) for k in coarse]
    return chain


def level_at(coarse: Sequence[int], progress: float, coarse_fraction: float) -> tuple[int, ...] | None:
    """Factors of the grid at one point of the training; None stands for the full grid.

    The coarse grids share the first `coarse_fraction` of the training equally.
    """
    chain = levels(coarse)
    if not chain or progress >= coarse_fraction:
        return None
    return chain[min(int(progress / coarse_fraction * len(chain)), len(chain) - 1)]


def coarsen(fields: Tensor, factors: Sequence[int]) -> Tensor:
    """Average fields over blocks of voxels.

    Parameters
    ----------
    fields : Tensor ``(sample, state, *space)``
    factors : sequence of int
        Voxels of a block along each axis, which divide the axis.

    Returns
    -------
    Tensor ``(sample, state, *coarse)``
    """
    return POOLING[len(factors)](fields, tuple(factors))


def coarsen_statistics(statistics: Tensor, factors: Sequence[int]) -> Tensor:
    """2-point statistics of the block means of a periodic structure, averaged over all positions of the blocks.

    The correlation of two block means averages f over the lags between their voxels. Their number, and thus the weight,
    falls linearly with the distance of a lag from the distance between the blocks.

    Parameters
    ----------
    statistics : Tensor ``(sample, *lag, correlation)``
        At every lag of a periodic grid, with the zero lag at ``n // 2``.
    factors : sequence of int
        Voxels of a block along each axis, which divide the axis.

    Returns
    -------
    Tensor ``(sample, *coarse lag, correlation)``
        With the zero lag in the centre.
    """
    for axis, k in enumerate(factors, start=1):
        if k == 1:
            continue
        n = statistics.shape[axis]
        blocks = torch.arange(n // k, device=statistics.device) - n // k // 2
        statistics = sum(
            (k - abs(step)) / k**2 * statistics.index_select(axis, (k * blocks + n // 2 + step) % n)
            for step in range(1 - k, k)
        )  # type: ignore[assignment]
    return statistics
