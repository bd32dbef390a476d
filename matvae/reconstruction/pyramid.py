"""Coarser grids: box means of phase fields, and the 2-point statistics that such means have.

A box mean is the convolution of a field with a box. Its correlations are therefore those of the field, averaged over
lags with the correlation of two boxes, a triangle along each axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from ..stats.correlate import pair_counts
from .target import Target

POOL = {1: functional.adaptive_avg_pool1d, 2: functional.adaptive_avg_pool2d, 3: functional.adaptive_avg_pool3d}
SLIDE = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


def level_shape(shape: Sequence[int], level: int) -> tuple[int, ...]:
    """Shape of the grid whose voxels are about ``2**level`` voxels wide."""
    return tuple(max(1, round(n / 2**level)) for n in shape)


def box_means(fields: Tensor, shape: Sequence[int]) -> Tensor:
    """Means of fields ``(sample, phase, *space)`` over the voxels of a coarser grid of the given shape."""
    if tuple(fields.shape[2:]) == tuple(shape):
        return fields
    pool: Callable[..., Tensor] = POOL[len(shape)]
    return pool(fields, tuple(shape))


def sliding_means(fields: Tensor, level: int) -> Tensor:
    """Means of fields ``(sample, phase, *space)`` over all boxes of edge ``2**level`` that fit, at every position."""
    ndim, edge = fields.ndim - 2, 2**level
    # Along one axis after the other: each mean is then one of 2**level values, rather than of all those of a box.
    for axis in range(ndim if level else 0):
        fields = SLIDE[ndim](fields, [edge if other == axis else 1 for other in range(ndim)], stride=1)
    return fields


def enlarged(fields: Tensor, shape: Sequence[int]) -> Tensor:
    """Fields ``(sample, phase, *space)`` on a finer grid, each voxel with the value of the coarse one it lies in."""
    return functional.interpolate(fields, size=tuple(shape), mode="nearest")


def level_target(target: Target, level: int) -> Target:
    """Derive the statistics that the box means of a structure have.

    Parameters
    ----------
    target : Target
        Statistics of the structure.
    level : int
        Boxes are about ``2**level`` voxels wide.

    Returns
    -------
    Target
        On the coarser grid, at the lags that follow from those of `target`; without correlations if there are none.
        The numbers of voxels are left as they are.
    """
    if level == 0:
        return target
    grid = target.grid
    shape = level_shape(grid.shape, level)
    coarse = replace(grid, shape=shape, voxel_size=None)
    widths = [n / m for n, m in zip(grid.shape, shape, strict=True)]
    complete = target.cutoff is None and grid.periodic
    cutoff = None if complete else _cutoff(target, shape, widths)
    if cutoff is not None and (min(cutoff) < 0 or target.known is not None):
        nothing = target.statistics.new_zeros(len(target), *[1] * grid.ndim, 0)
        return replace(target, grid=coarse, pairs=(), cutoff=(0,) * grid.ndim, statistics=nothing, known=None)
    values = target.statistics
    for axis, (n, width) in enumerate(zip(shape, widths, strict=True), start=1):
        size = values.shape[axis]
        lags = torch.arange(size, device=values.device) - size // 2
        coarse_lags = (
            torch.arange(n) - n // 2 if cutoff is None else torch.arange(-cutoff[axis - 1], cutoff[axis - 1] + 1)
        )
        distance = lags - coarse_lags.to(lags).unsqueeze(1) * width
        if complete:
            distance = (distance + size / 2) % size - size / 2
        triangle = (width - distance.abs()).clamp_min(0)
        values = torch.tensordot(triangle / triangle.sum(1, keepdim=True), values, dims=([1], [axis])).movedim(0, axis)
    weights = pair_counts(shape, periodic=grid.periodic, cutoff=cutoff).to(values)
    return replace(target, grid=coarse, cutoff=cutoff, statistics=values, weights=weights)


def _cutoff(target: Target, shape: Sequence[int], widths: Sequence[float]) -> tuple[int, ...]:
    """Largest lag along each axis at which all lags under the triangle are known; -1 where there is none."""
    largest = target.cutoff or tuple(n - 1 for n in target.grid.shape)
    reach = [int((c + 1) / width + 1e-9) - 1 for c, width in zip(largest, widths, strict=True)]
    most = [(n - 1) // 2 if target.grid.periodic else n - 1 for n in shape]
    return tuple(min(pair) for pair in zip(reach, most, strict=True))
