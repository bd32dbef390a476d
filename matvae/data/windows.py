"""Windows: representative volume elements cut from larger structures, lazily."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import dask.array as da
import numpy as np
from dask.array.chunk import getitem
from dask.highlevelgraph import HighLevelGraph

from ..errors import InputError
from .blocks import BLOCK_BYTES
from .structures import Structures

Region = Sequence[slice | Sequence[int | None] | None]


def windows(
    structures: Structures,
    size: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    region: Region | None = None,
) -> Structures:
    """Cut windows (RVEs) from structures on a regular lattice.

    Parameters
    ----------
    structures : Structures
        ``(sample, *space)``.
    size : int or sequence of int
        Voxels of a window along each axis.
    stride : int or sequence of int, optional
        Voxels between the corners of neighbouring windows; by default `size`, windows side by side.
    region : sequence of (start, stop) or slice, optional
        Part of each structure, one entry an axis, in which the windows lie wholly; a None means no bound.
        Windows of disjoint regions share no voxel.

    Returns
    -------
    Structures
        ``(sample * window, *size)``: sample after sample, the windows of each in C order of their corners.
        Properties follow their structure. Blocks hold about 16 MiB and each reads only the box it needs. The
        grid is periodic only where a window is the whole of a periodic structure.

    Raises
    ------
    InputError
        If size, stride or region do not fit the structures.
    """
    grid = structures.grid
    sizes = _per_axis("size", size, grid.shape)
    strides = sizes if stride is None else _per_axis("stride", stride, grid.shape)
    bounds = _bounds(region, grid.shape)
    for (start, stop), length in zip(bounds, sizes, strict=True):
        if stop - start < length:
            raise InputError(
                f"Windows of size {sizes} must fit into the region {bounds} of structures of shape "
                f"{grid.shape}, but do not. Choose smaller windows or a larger region."
            )
    counts = tuple(
        (stop - start - length) // step + 1 for (start, stop), length, step in zip(bounds, sizes, strides, strict=True)
    )
    n_windows = math.prod(counts)
    data = _window_data(structures.data, bounds, sizes, strides, counts)
    return Structures(
        data,
        replace(grid, shape=sizes, periodic=grid.periodic and sizes == grid.shape),
        {name: np.repeat(values, n_windows) for name, values in structures.properties.items()},
        structures.units,
        structures.attributes,
    )


def _window_data(
    data: da.Array,
    bounds: Sequence[tuple[int, int]],
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    counts: tuple[int, ...],
) -> da.Array:
    lattice = (data.shape[0], *counts)
    # What a window costs: what it holds, or what is read for it where windows lie apart.
    cost = data.dtype.itemsize * math.prod(map(max, sizes, strides))
    # One layer for all: a slice next to the task that reads is merged into it, so that only the box is read.
    name = f"windows-{uuid.uuid4().hex}"
    graph: dict[tuple, tuple] = {}
    numbers: list[int] = []
    for group in _groups(lattice, max(1, BLOCK_BYTES // cost)):
        box = [
            slice(start + low * step, start + (high - 1) * step + length)
            for (low, high), (start, _), length, step in zip(group[1:], bounds, sizes, strides, strict=True)
        ]
        pieces = _pieces(data, (slice(*group[0]), *box), f"{name}-{len(numbers)}", graph)
        graph[(name, len(numbers), *(0,) * len(sizes))] = (_cut, pieces, sizes, strides)
        numbers.append(math.prod(high - low for low, high in group))
    layers = HighLevelGraph.from_collections(name, graph, dependencies=[data])
    return da.Array(layers, name, (tuple(numbers), *((length,) for length in sizes)), meta=data._meta)


def _pieces(data: da.Array, box: Sequence[slice], name: str, graph: dict[tuple, tuple]) -> list:
    """Add tasks that cut a box out of the chunks it touches; give their keys nested for `numpy.block`."""
    touched = []
    for part, lengths in zip(box, data.chunks, strict=True):
        starts = np.cumsum((0, *lengths))[:-1].tolist()
        touched.append(
            [
                (i, slice(max(part.start - start, 0), min(part.stop - start, length)))
                for i, (start, length) in enumerate(zip(starts, lengths, strict=True))
                if start < part.stop and start + length > part.start
            ]
        )

    def nest(axis: int, chosen: tuple[tuple[int, slice], ...]) -> Any:
        if axis < len(touched):
            return [nest(axis + 1, (*chosen, entry)) for entry in touched[axis]]
        numbers = tuple(i for i, _ in chosen)
        graph[(name, *numbers)] = (getitem, (data.name, *numbers), tuple(part for _, part in chosen))
        return (name, *numbers)

    return nest(0, ())


def _cut(pieces: list, sizes: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
    """All windows of a box ``(sample, *space)`` given in pieces: ``(sample * window, *size)`` in C order."""
    box = np.block(pieces)
    axes = tuple(range(1, box.ndim))
    view = np.lib.stride_tricks.sliding_window_view(box, sizes, axis=axes)
    view = view[(slice(None), *(slice(None, None, step) for step in strides))]
    return view.reshape(-1, *sizes)


def _groups(lattice: tuple[int, ...], most: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Cut a lattice into boxes of at most `most` points that follow each other in C order.

    Trailing axes stay whole while they fit, one axis is cut evenly, and the axes before it are taken one by
    one.
    """
    steps = []
    for length in reversed(lattice):
        pieces = math.ceil(length / min(length, most)) if length else 1
        steps.append(max(1, math.ceil(length / pieces)))
        most = most // length if length and steps[-1] == length else 1
        most = max(1, most)
    cuts = [
        [(low, min(low + step, length)) for low in range(0, length, step)]
        for length, step in zip(lattice, reversed(steps), strict=True)
    ]
    yield from product(*cuts)


def _per_axis(what: str, value: int | Sequence[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, Sequence | np.ndarray) else (value,) * len(shape)
    if len(values) != len(shape) or not all(isinstance(v, int | np.integer) and v >= 1 for v in values):
        raise InputError(
            f"{what} must be a number of voxels, or one for each of the {len(shape)} axes of structures of "
            f"shape {shape}, but {value!r} was given."
        )
    return tuple(int(v) for v in values)


def _bounds(region: Region | None, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    if region is None:
        return [(0, length) for length in shape]
    if len(region) != len(shape):
        raise InputError(
            f"region must bound each of the {len(shape)} axes of structures of shape {shape}, but {region!r} was given."
        )
    bounds = []
    for part, length in zip(region, shape, strict=True):
        ends = (None, None) if part is None else (part.start, part.stop) if isinstance(part, slice) else tuple(part)
        if len(ends) != 2 or (isinstance(part, slice) and part.step not in (None, 1)):
            raise InputError(f"region needs (start, stop) for each axis, without a step, but {part!r} was given.")
        start, stop = 0 if ends[0] is None else int(ends[0]), length if ends[1] is None else int(ends[1])
        if not 0 <= start < stop <= length:
            raise InputError(
                f"The region {region!r} reaches outside structures of shape {shape}, or is empty along an "
                f"axis of {length} voxels ({start} to {stop}). Bounds count from 0 and start before they "
                "stop."
            )
        bounds.append((start, stop))
    return bounds
