"""Removal of small objects, block by block, with the result for whole structures.

An object of fewer than n voxels reaches no further than n voxels, so that a block and its neighbours within this
distance tell which objects are small. What replaces them is looked for within a further distance.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import lru_cache, partial

import dask.array as da
import numpy as np
from scipy import ndimage

from ..errors import InputError
from ..memory import check_memory

# Edge of a block, and distance within which a voxel that stays is looked for, by the number of spatial axes.
_EDGE = {1: 2**24, 2: 4096, 3: 192}
_REACH = {1: 2**12, 2: 256, 3: 16}
_OUTSIDE = 255
# Of labels, numbers of objects, and which of them stay.
_BYTES_PER_VOXEL = 20


def without_small_objects(labels: da.Array, mask: da.Array | None, min_size: int) -> da.Array:
    """Give objects that are too small the label of the nearest voxel of one that is not.

    Parameters
    ----------
    labels : dask.array.Array of uint8
        ``(sample, *space)``. An object consists of voxels of one label that are connected through faces.
    mask : dask.array.Array of bool, optional
        ``(sample, *space)``: voxels that belong to the structures. Those outside belong to no object.
    min_size : int
        Objects of fewer voxels are too small.

    Returns
    -------
    dask.array.Array of uint8
        ``(sample, *space)``; of several labels at the same distance, the smallest. Voxels outside the mask have a value
        without meaning.

    Raises
    ------
    InputError
        If a block does not fit into memory; when it is computed, if no voxel is near that stays.
    """
    space = labels.shape[1:]
    reach = _REACH[len(space)]
    depth = min_size - 1 + reach
    edge = max(_EDGE[len(space)], depth)
    # An axis that is hardly longer than a block stays whole.
    depths = [depth if length > edge + depth else 0 for length in space]
    lengths = [edge if overlap else length for overlap, length in zip(depths, space, strict=True)]
    _check_memory([length + 2 * overlap for length, overlap in zip(lengths, depths, strict=True)], labels, lengths)
    inside = labels if mask is None else da.where(mask, labels, np.uint8(_OUTSIDE))
    return da.map_overlap(
        partial(_clean, min_size=min_size, depths=depths, reach=reach),
        inside.rechunk((1, *lengths)),
        depth=dict(enumerate([0, *depths])),
        boundary={axis: _OUTSIDE if overlap else "none" for axis, overlap in enumerate([0, *depths])},
        dtype=np.uint8,
        meta=labels._meta,
    )


def _check_memory(padded: Sequence[int], labels: da.Array, lengths: Sequence[int]) -> None:
    n_blocks = len(labels) * math.prod(map(math.ceil, np.divide(labels.shape[1:], lengths)))
    n_at_once = min(n_blocks, os.cpu_count() or 1)
    check_memory(
        n_at_once * math.prod(padded) * _BYTES_PER_VOXEL,
        device="cpu",
        what="The removal of small objects",
        remedy="Lower min_size (--min-size), or take a part of the structures (--region).",
    )


def _clean(block: np.ndarray, *, min_size: int, depths: Sequence[int], reach: int) -> np.ndarray:
    """Clean a block ``(1, *space)`` with `depths` voxels of its neighbours on both sides of each axis."""
    labels = block[0]
    stays, is_small = np.zeros(labels.shape, bool), np.zeros(labels.shape, bool)
    phases = [int(phase) for phase in np.unique(labels) if phase != _OUTSIDE]
    for phase in phases:
        objects, n_objects = ndimage.label(labels == phase)
        sizes = np.bincount(objects.ravel(), minlength=n_objects + 1)
        # Those that leave the block may be larger.
        is_cut = np.zeros(n_objects + 1, bool)
        for axis, overlap in enumerate(depths):
            if overlap:
                is_cut[np.take(objects, (0, -1), axis)] = True
        sizes[0], is_cut[0] = 0, True
        stays |= (sizes >= min_size)[objects]
        is_small |= ((sizes < min_size) & ~is_cut)[objects]
    core = tuple(slice(overlap, length - overlap) for overlap, length in zip(depths, labels.shape, strict=True))
    if not is_small[core].any():
        return block
    if not stays.any() and not any(depths):
        raise InputError(
            f"All objects of a structure have fewer than min_size={min_size} voxels, so that none would remain. Lower "
            "min_size (--min-size)."
        )
    # At the edges of a structure, there may be fewer voxels than are looked at.
    padding = [0 if overlap else reach for overlap in depths]
    anchors = np.pad(np.where(stays, labels, np.uint8(_OUTSIDE)), [(n, n) for n in padding], constant_values=_OUTSIDE)
    places = np.argwhere(is_small[core]) + depths
    nearest = _nearest(anchors, places + padding, reach)
    if (nearest == _OUTSIDE).any():
        raise InputError(
            f"In a part of a structure, all objects within {reach} voxels have fewer than min_size={min_size} voxels, "
            "like noise. Filter the grey values first (--denoise median), or lower min_size (--min-size)."
        )
    cleaned = labels.copy()
    cleaned[tuple(places.T)] = nearest
    return cleaned[None]


def _nearest(anchors: np.ndarray, places: np.ndarray, reach: int) -> np.ndarray:
    """Return the label of the anchor nearest to each place ``(place, axis)``, or 255 if none is within reach."""
    steps = np.array(anchors.strides) // anchors.itemsize
    flat, positions = anchors.ravel(), places @ steps
    found = np.full(len(places), _OUTSIDE, np.uint8)
    waiting = np.arange(len(places))
    for shell in _shells(anchors.ndim, reach):
        for step in shell @ steps:
            found[waiting] = np.minimum(found[waiting], flat[positions[waiting] + step])
        waiting = waiting[found[waiting] == _OUTSIDE]
        if not len(waiting):
            break
    return found


@lru_cache(maxsize=3)
def _shells(ndim: int, reach: int) -> list[np.ndarray]:
    """Return the offsets ``(offset, axis)`` of each distance up to `reach`, in ascending order of the distance."""
    offsets = np.indices((2 * reach + 1,) * ndim).reshape(ndim, -1).T - reach
    distances = (offsets**2).sum(axis=1)
    order = np.argsort(distances, kind="stable")
    order = order[distances[order] <= reach**2]
    ends = np.flatnonzero(np.diff(distances[order])) + 1
    return np.split(offsets[order], ends)
