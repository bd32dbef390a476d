"""Windows: representative volume elements (RVEs), cut lazily from larger structures."""

from __future__ import annotations

import logging
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
from ..grid import Grid
from ..validate import is_integer
from .lazy_array import CHUNK_BYTES
from .masks import valid_fractions
from .open import open_structures
from .structures import Structures
from .subsets import select

logger = logging.getLogger("matvae")

Region = slice | Sequence[slice | Sequence[int | None] | None]
# Prefix of the properties that say where in its image a window was cut; they are no properties of the material.
POSITION = "position_"


def windows(
    structures: Any,
    size: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    region: Region | None = None,
    min_valid: float | None = None,
) -> Structures:
    """Cut windows (RVEs) from structures on a regular lattice.

    Parameters
    ----------
    structures : Structures
        ``(sample, *space)``, or anything else that `matvae.open_structures` takes: a path, a list of paths, an array.
    size : int or sequence of int
        Voxels of a window along each axis; one number counts for every axis.
    stride : int or sequence of int, optional
        Voxels between the corners of neighbouring windows; by default `size`, so that windows do not overlap.
    region : slice, or sequence of (start, stop) or slice, optional
        Part of each structure in which all windows lie entirely, one entry per axis, or one that counts for every axis;
        None means no bound. Windows of disjoint regions share no voxel.
    min_valid : float, optional
        Smallest fraction of the voxels of a window that must lie inside the mask of the structures, up to 1, all of
        them; the others are left out, which is logged. By default, only windows without any such voxel are left out.

    Returns
    -------
    Structures
        ``(sample * window, *size)``: sample after sample, the windows of each in C order of their corners, with the
        properties of the structure from which they are cut, and with their position in it: ``position_y`` and so on, in
        voxels from the corner of the image to that of the window. Chunks have about 16 MiB, and each reads only the box
        that it needs. The grid is periodic only if a window is the whole of a periodic structure. A single window per
        structure has the origin of its own corner; where there are several, `Grid` has none, and
        ``attributes["image_origin"]`` is that of the image. Masks are cut as well; if all windows lie inside entirely,
        none is kept.

    Raises
    ------
    InputError
        If size, stride or region do not match the structures, or for an array without a sample axis, or whose labels
        have gaps, if `min_valid` is given for structures without a mask, or no window is left.
    """
    if not isinstance(structures, Structures):
        structures = open_structures(structures, spatial_dims=len(size) if isinstance(size, Sequence) else None)
    grid = structures.grid
    sizes = _per_axis("size", size, grid.shape)
    strides = sizes if stride is None else _per_axis("stride", stride, grid.shape)
    ranges = bounds(region, grid.shape)
    for (start, stop), length in zip(ranges, sizes, strict=True):
        if stop - start < length:
            raise InputError(
                f"Windows of size {sizes} must fit into the region {ranges} of structures of shape {grid.shape}, but "
                "do not. Choose smaller windows or a larger region."
            )
    counts = tuple(
        (stop - start - length) // step + 1 for (start, stop), length, step in zip(ranges, sizes, strides, strict=True)
    )
    n_windows = math.prod(counts)
    data = _window_data(structures.data, ranges, sizes, strides, counts)
    mask = None if structures.mask is None else _window_data(structures.mask, ranges, sizes, strides, counts)
    properties = {name: np.repeat(values, n_windows) for name, values in structures.properties.items()}
    units = dict(structures.units)
    starts = [start for start, _ in ranges]
    for name, corners in _corners(grid, starts, strides, counts).items():
        # Windows of windows are placed in the image from which the first were cut.
        properties[name] = properties.get(name, 0) + np.tile(corners, len(structures))
        units[name] = "voxel"
    attributes = dict(structures.attributes)
    origin = _origin(grid, starts)
    if origin is not None and n_windows > 1:
        # The corner from which positions count, which differs from that of the structures if they are windows.
        firsts = [-properties[f"{POSITION}{axis}"][0] for axis in grid.axes or ()]
        attributes["image_origin"] = list(_origin(replace(grid, origin=origin), firsts) or ())
        origin = None
    new_grid = replace(grid, shape=sizes, periodic=grid.periodic and sizes == grid.shape, origin=origin)
    return keep_valid(Structures(data, new_grid, properties, units, attributes, mask), min_valid)


def keep_valid(cut: Structures, min_valid: float | None) -> Structures:
    """Leave out windows with too few voxels inside the mask, and the mask if no window needs it.

    Parameters
    ----------
    cut : Structures
        Windows, or whole structures.
    min_valid : float or None
        As in `windows`.

    Raises
    ------
    InputError
        If `min_valid` is no such fraction, or given for structures without a mask, or nothing is left.
    """
    if min_valid is not None and not 0 < min_valid <= 1:
        raise InputError(f"min_valid must be a fraction above 0 and up to 1, but {min_valid} was given.")
    if cut.mask is None:
        if min_valid is not None:
            raise InputError(
                "min_valid counts voxels inside a mask, but these structures have none. Leave it out, or give a mask "
                "where they are opened, mask='mask.tif' (command line: --mask)."
            )
        return cut
    fractions = valid_fractions(cut)
    is_kept = fractions > 0 if min_valid is None else fractions >= min_valid
    too_few = "no voxel" if min_valid is None else f"less than {100 * min_valid:g} % of their voxels"
    if not is_kept.any():
        raise InputError(
            f"All {len(cut)} windows of {cut.grid.shape} voxels have {too_few} inside the mask; the most is "
            f"{100 * fractions.max():.3g} %. Cut smaller windows, or lower min_valid (--min-valid)."
        )
    if not is_kept.all():
        logger.info(
            "%d of %d windows have %s inside the mask and are left out.", np.count_nonzero(~is_kept), len(cut), too_few
        )
        cut = select(cut, np.flatnonzero(is_kept))
    return replace(cut, mask=None) if (fractions[is_kept] == 1).all() else cut


def _origin(grid: Grid, corner: Sequence[float]) -> tuple[float, ...] | None:
    """Return the position of a voxel's outer corner, if the grid states where it lies."""
    if grid.origin is None or grid.voxel_size is None:
        return None
    return tuple(start + i * edge for start, i, edge in zip(grid.origin, corner, grid.voxel_size, strict=True))


def _corners(
    grid: Grid, starts: Sequence[int], strides: tuple[int, ...], counts: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """Return the corner of each window of a structure along each axis, by the name of the property that holds it."""
    lattice = np.indices(counts).reshape(len(counts), -1)
    return {
        f"{POSITION}{axis}": start + stride * index
        for axis, start, stride, index in zip(grid.axes or (), starts, strides, lattice, strict=True)
    }


def _window_data(
    data: da.Array,
    bounds: Sequence[tuple[int, int]],
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    counts: tuple[int, ...],
) -> da.Array:
    lattice = (data.shape[0], *counts)
    # Memory per window: its own, or that of the voxels read for it if windows do not touch.
    window_bytes = data.dtype.itemsize * math.prod(map(max, sizes, strides))
    # All tasks are in one layer: a slice next to the task that reads is fused with it, so that only the box is read.
    name = f"windows-{uuid.uuid4().hex}"
    graph: dict[tuple, tuple] = {}
    chunk_lengths: list[int] = []
    for group in _groups(lattice, max(1, CHUNK_BYTES // window_bytes)):
        box = [
            slice(start + low * step, start + (high - 1) * step + length)
            for (low, high), (start, _), length, step in zip(group[1:], bounds, sizes, strides, strict=True)
        ]
        number = len(chunk_lengths)
        parts = _add_box(data, (slice(*group[0]), *box), f"{name}-{number}", graph)
        graph[(name, number, *(0,) * len(sizes))] = (_cut, parts, sizes, strides)
        chunk_lengths.append(math.prod(high - low for low, high in group))
    layers = HighLevelGraph.from_collections(name, graph, dependencies=[data])
    return da.Array(layers, name, (tuple(chunk_lengths), *((length,) for length in sizes)), meta=data._meta)


def _add_box(data: da.Array, box: Sequence[slice], name: str, graph: dict[tuple, tuple]) -> list:
    """Add tasks that cut a box out of the chunks that it intersects; return their keys, nested for `numpy.block`."""
    intersections = []
    for part, lengths in zip(box, data.chunks, strict=True):
        starts = np.cumsum((0, *lengths))[:-1].tolist()
        intersections.append(
            [
                (i, slice(max(part.start - start, 0), min(part.stop - start, length)))
                for i, (start, length) in enumerate(zip(starts, lengths, strict=True))
                if start < part.stop and start + length > part.start
            ]
        )

    def nest(axis: int, path: tuple[tuple[int, slice], ...]) -> Any:
        if axis < len(intersections):
            return [nest(axis + 1, (*path, entry)) for entry in intersections[axis]]
        chunk = tuple(i for i, _ in path)
        graph[(name, *chunk)] = (getitem, (data.name, *chunk), tuple(part for _, part in path))
        return (name, *chunk)

    return nest(0, ())


def _cut(parts: list, sizes: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
    """Cut all windows ``(sample * window, *size)``, in C order, from a box ``(sample, *space)`` given in parts."""
    box = np.block(parts)
    axes = tuple(range(1, box.ndim))
    view = np.lib.stride_tricks.sliding_window_view(box, sizes, axis=axes)
    view = view[(slice(None), *(slice(None, None, step) for step in strides))]
    return view.reshape(-1, *sizes)


def _groups(lattice: tuple[int, ...], max_points: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Split a lattice into boxes of at most `max_points` points that follow each other in C order.

    Trailing axes stay whole as long as they fit, one axis is split evenly, and the axes before it are split into
    single points.
    """
    steps = []
    for length in reversed(lattice):
        n_parts = math.ceil(length / min(length, max_points)) if length else 1
        steps.append(max(1, math.ceil(length / n_parts)))
        max_points = max(1, max_points // length) if length and steps[-1] == length else 1
    ranges = [
        [(low, min(low + step, length)) for low in range(0, length, step)]
        for length, step in zip(lattice, reversed(steps), strict=True)
    ]
    yield from product(*ranges)


def _per_axis(name: str, value: int | Sequence[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, Sequence | np.ndarray) else (value,) * len(shape)
    if len(values) != len(shape) or not all(is_integer(v) and v >= 1 for v in values):
        raise InputError(
            f"{name} must be a positive number of voxels, or one for each of the {len(shape)} axes of structures of "
            f"shape {shape}, but {value!r} was given."
        )
    return tuple(int(v) for v in values)


def bounds(region: Region | None, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return start and stop of a region along each axis of structures of a shape.

    Raises
    ------
    InputError
        If the region does not lie within the structures, or is text.
    """
    if isinstance(region, str):
        raise InputError(
            f"region must bound each axis by (start, stop), such as [(0, 160), None], but the text {region!r} was "
            "given. Only the command line takes text."
        )
    if region is None:
        return [(0, length) for length in shape]
    parts = [region] if isinstance(region, slice) else list(region)
    # One range counts for every axis, as one number does for size and stride.
    parts = parts * len(shape) if len(parts) == 1 else parts
    if len(parts) != len(shape):
        raise InputError(
            f"region must bound each of the {len(shape)} axes of structures of shape {shape}, or give one range for "
            f"all, but {region!r} was given."
        )
    ranges = []
    for part, length in zip(parts, shape, strict=True):
        ends: tuple = (None, None) if part is None else ()
        if isinstance(part, slice):
            ends = (part.start, part.stop)
        elif isinstance(part, Sequence):
            ends = tuple(part)
        if len(ends) != 2 or (isinstance(part, slice) and part.step not in (None, 1)):
            raise InputError(f"region must give (start, stop) for each axis, without a step, but {part!r} was given.")
        start, stop = 0 if ends[0] is None else int(ends[0]), length if ends[1] is None else int(ends[1])
        if not 0 <= start < stop <= length:
            raise InputError(
                f"The region {region!r} extends beyond structures of shape {shape}, or is empty along an axis of "
                f"{length} voxels ({start} to {stop}). Bounds count from 0, and start must be less than stop."
            )
        ranges.append((start, stop))
    return ranges
