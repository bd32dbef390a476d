"""Median filter over 3 neighbours along each axis, by minima and maxima of whole arrays.

The median of 27 values takes some 400 minima and maxima of arrays, which processors do for many voxels at once: several
times faster than sorting the neighbours of one voxel after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy import ndimage

# Voxels that are filtered together, so that their sorted neighbours fit into the cache.
_CACHED_VOXELS = 2**15


def median_filter(block: np.ndarray, inside: np.ndarray | None = None) -> np.ndarray:
    """Replace each value by the median of its neighbourhood.

    Parameters
    ----------
    block : numpy.ndarray
        ``(sample, *space)``, finite numbers. Beyond its edges, the values at the edges are repeated.
    inside : numpy.ndarray of bool, optional
        ``(sample, *space)``: voxels that count. Others keep a value without meaning.

    Returns
    -------
    numpy.ndarray
        ``(sample, *space)``. Next to voxels outside, of an even number of neighbours the lower middle one.
    """
    smooth = _of_all_neighbours(block)
    if inside is None or inside.all():
        return smooth
    neighbourhood = np.ones((1, *(3,) * (block.ndim - 1)))
    rim = inside & ndimage.binary_dilation(~inside, neighbourhood)
    padded = np.pad(np.where(inside, block, np.nan), _padding(block), mode="edge")
    axes = tuple(range(1, block.ndim))
    neighbours = np.lib.stride_tricks.sliding_window_view(padded, neighbourhood.shape[1:], axes)[rim]
    # NaN is last.
    ordered = np.sort(neighbours.reshape(len(neighbours), -1), axis=1)
    middle = (np.count_nonzero(~np.isnan(ordered), axis=1) - 1) // 2
    smooth[rim] = ordered[np.arange(len(ordered)), middle]
    return smooth


def _of_all_neighbours(block: np.ndarray) -> np.ndarray:
    padded = np.pad(block, _padding(block), mode="edge")
    offsets = list(product((0, 1, 2), repeat=block.ndim - 1))
    smooth = np.empty_like(block)
    for part in _parts(block.shape):
        neighbours = [padded[(part[0], *map(_moved, part[1:], offset))] for offset in offsets]
        smooth[part] = _median(neighbours)
    return smooth


def _parts(shape: Sequence[int]) -> list[tuple[slice, ...]]:
    """Split an array into parts of a few rows; the last axis stays whole."""
    n_rows = max(1, _CACHED_VOXELS // max(1, shape[-1]))
    steps = [*(1 for _ in shape[:-2]), n_rows, max(1, shape[-1])][-len(shape) :]
    ranges = [range(0, length, step) for length, step in zip(shape, steps, strict=True)]
    return [
        tuple(slice(start, min(start + step, n)) for start, step, n in zip(corner, steps, shape, strict=True))
        for corner in product(*ranges)
    ]


def _moved(part: slice, offset: int) -> slice:
    return slice(part.start + offset, part.stop + offset)


def _median(values: Sequence[np.ndarray]) -> np.ndarray:
    """Return the element-wise median of an odd number of arrays.

    The smallest and the largest of more than half of the values cannot be the median: they are dropped, and another
    value is added, until one is left.
    """
    n_first = len(values) // 2 + 2
    kept, left = [value.copy() for value in values[:n_first]], list(values[n_first:])
    spare = np.empty_like(kept[0])
    while len(kept) > 1:
        last = len(kept) - 1
        # The smallest moves to the front, and the largest of the others to the end.
        pairs = [*((0, i) for i in range(1, last + 1)), *((i, last) for i in range(1, last))]
        for low, high in pairs:
            np.minimum(kept[low], kept[high], out=spare)
            np.maximum(kept[low], kept[high], out=kept[high])
            kept[low], spare = spare, kept[low]
        kept = kept[1:-1]
        if left:
            kept.append(left.pop().copy())
    return kept[0]


def _padding(block: np.ndarray) -> list[tuple[int, int]]:
    return [(0, 0), *[(1, 1)] * (block.ndim - 1)]
