"""Coarse grids: block means of structures, and the statistics that these have on average.

Of large structures the coarse grid takes a fraction of the time, and says already where things are; how long and how
thick they are to the voxel is left for the rest of the training.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

# Shorter axes are left as they are: their steps are cheap, and a step on the full grid teaches more.
LARGE_VOXELS = 65
# The coarsest grid of a longer axis has as many voxels, or somewhat less.
COARSE_VOXELS = 32
POOLING = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


def coarsest(shape: Sequence[int]) -> tuple[int, ...]:
    """Voxels along each axis that are one on the coarsest grid: axes beyond 64 are halved while even, down to 32."""
    factors = []
    for n in shape:
        k = 1
        while n >= LARGE_VOXELS and n // k > COARSE_VOXELS and n % (2 * k) == 0:
            k *= 2
        factors.append(k)
    return tuple(factors)


def levels(coarse: Sequence[int]) -> list[tuple[int, ...]]:
    """Factors of the grids from the coarsest to the finest but one, each twice as fine as the one before."""
    chain = []
    while max(coarse) > 1:
        chain.append(tuple(coarse))
        coarse = [max(1, k // 2) for k in coarse]
    return chain


def level_at(coarse: Sequence[int], progress: float, coarse_fraction: float) -> tuple[int, ...] | None:
    """Factors of the grid at one point of the training; None is the full grid.

    The coarse grids share the first `coarse_fraction` of the training equally.
    """
    chain = levels(coarse)
    if not chain or progress >= coarse_fraction:
        return None
    return chain[min(int(progress / coarse_fraction * len(chain)), len(chain) - 1)]


def coarsen(fields: Tensor, factors: Sequence[int]) -> Tensor:
    """Means over blocks of voxels.

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
    """2-point statistics of the block means of a periodic structure, averaged over all ways to lay the blocks.

    The correlation of two block means sums f over the lags between their voxels, of which there are fewer the farther
    a lag is from the distance of the blocks: a weight that falls linearly from the middle.

    Parameters
    ----------
    statistics : Tensor ``(sample, *lag, correlation)``
        At every lag of a periodic grid, zero lag at ``n // 2``.
    factors : sequence of int
        Voxels of a block along each axis, which divide the axis.

    Returns
    -------
    Tensor ``(sample, *coarse lag, correlation)``
        Zero lag in the middle again.
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
