"""Saving structures to a store, in bounded memory however large the set."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import dask
import dask.array as da
import numpy as np

from ..crew import ALONE, Crew
from ..errors import InputError
from ..grid import Grid
from .layout import SHARD_VOXELS
from .lazy_array import Box
from .sample_blocks import Progress, chunk_spans
from .store import StoreWriter
from .structures import Structures, as_dask

# Memory of the voxels that this process computes at once: a few shards of labels, so that several of its threads read.
_SPAN_BYTES = 4 * SHARD_VOXELS
# The same of structures that are too large for a shard.
_LARGE_SPAN_BYTES = 16 * SHARD_VOXELS


def save_structures(
    path: str | os.PathLike[str],
    structures: Structures | np.ndarray | da.Array,
    *,
    grid: Grid | None = None,
    properties: Mapping[str, Any] | None = None,
    units: Mapping[str, str] | None = None,
    attributes: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    crew: Crew = ALONE,
) -> None:
    """Write structures to a matvae store, which xarray, dask and zarr can open directly.

    Parameters
    ----------
    path : path-like
        Folder of the new store, by convention ``NAME.zarr``.
    structures : Structures, numpy.ndarray or dask.array.Array
        ``(sample, *space)``: labels 0 to H-1, or real numbers (stored as float32). A dask array is streamed.
    grid : Grid, optional
        Grid of one structure. Required for arrays unless the default applies: two phases (or a continuous field
        for real numbers) and periodic boundaries. For `Structures` it replaces their grid.
    properties : mapping of str to array, optional
        Name to ``(sample,)``; added to the properties of the structures.
    units : mapping of str to str, optional
        Property name to unit; added likewise.
    attributes : mapping, optional
        Further root attributes, serializable as JSON; added likewise.
    overwrite : bool
        Replace a store at `path` once the new one is complete. The old store may be the source of `structures`.
    progress : callable, optional
        Called with the number of parts written, samples or boxes, and their total.
    crew : Crew
        Who computes the structures, which this process writes.

    Raises
    ------
    InputError
        If labels are not 0 to H-1, numbers are not finite, parts do not match, or `path` may not be replaced.
    StoreError
        If the folder cannot be written.
    """
    structures = _as_structures(structures, grid)
    structures = replace(
        structures,
        properties={**structures.properties, **(properties or {})},
        units={**structures.units, **(units or {})},
        attributes={**structures.attributes, **(attributes or {})},
    )
    writer = StoreWriter(
        path,
        structures.grid,
        n_samples=len(structures),
        property_names=list(structures.properties),
        units=structures.units,
        attributes=structures.attributes,
        masked=structures.mask is not None,
        overwrite=overwrite,
    )
    with writer:
        if writer.layout.shards is None:
            _stream_boxes(writer, structures, progress, crew)
        else:
            _stream_samples(writer, structures, progress, crew)


def _as_structures(structures: Structures | np.ndarray | da.Array, grid: Grid | None) -> Structures:
    if isinstance(structures, Structures):
        return structures if grid is None else replace(structures, grid=grid)
    data = structures if isinstance(structures, da.Array) else as_dask(np.asarray(structures))
    if np.isnan(data.shape).any():
        raise InputError(
            f"Structures need a known shape (sample, *space), but the dask array has the shape {data.shape}. "
            "Call compute_chunk_sizes() on it first."
        )
    if grid is None:
        grid = Grid(data.shape[1:], phases=1 if data.dtype.kind == "f" else 2)
    return Structures(data, grid)


def _stream_samples(writer: StoreWriter, structures: Structures, progress: Progress | None, crew: Crew) -> None:
    sample_bytes = structures.grid.n_voxels * structures.data.dtype.itemsize
    span_bytes = _SPAN_BYTES if crew is ALONE else SHARD_VOXELS
    spans = list(chunk_spans(structures.data.chunks[0], span_bytes // sample_bytes))
    tasks = (((slice(start, stop),),) for start, stop in spans)
    # This process computes the next span while one is compressed and written.
    blocks = crew.in_order(_as_read, tasks, (structures.data, structures.mask), read=_computed)
    for (start, stop), (block, mask) in zip(spans, blocks, strict=True):
        writer.append(block, {name: values[start:stop] for name, values in structures.properties.items()}, mask)
        if progress is not None:
            progress(stop, len(structures))


def _stream_boxes(writer: StoreWriter, structures: Structures, progress: Progress | None, crew: Crew) -> None:
    layout = writer.layout
    span_bytes = _LARGE_SPAN_BYTES if crew is ALONE else SHARD_VOXELS
    large = _grown(layout.file_shape, layout.shape, span_bytes // structures.data.dtype.itemsize)
    spans = list(_boxes(tuple(slice(0, length) for length in layout.shape), large))
    blocks = crew.in_order(_computed, ((span,) for span in spans), (structures.data, structures.mask))
    for done, (span, (block, mask)) in enumerate(zip(spans, blocks, strict=True), start=1):
        for box in _boxes(span, layout.file_shape):
            part = tuple(slice(b.start - s.start, b.stop - s.start) for b, s in zip(box, span, strict=True))
            writer.write_box(box, block[part], None if mask is None else mask[part])
        if progress is not None:
            progress(done, len(spans))
    writer.set_properties(structures.properties)


def _grown(file_shape: Sequence[int], shape: Sequence[int], n_voxels: int) -> tuple[int, ...]:
    """Return the shape of as many files as have some number of voxels, first along the last axes.

    Each span computes all chunks of the source, and of filters, that it touches: spans of one file each would compute
    most chunks several times.
    """
    grown = list(file_shape)
    for axis in reversed(range(len(shape))):
        n_files = n_voxels // math.prod(grown)
        grown[axis] = min(shape[axis], max(1, n_files) * file_shape[axis])
        if grown[axis] < shape[axis]:
            break
    return tuple(grown)


def _boxes(within: Box, shape: Sequence[int]) -> Iterator[Box]:
    """Split a box into boxes of a shape, in C order; the last ones along an axis may be smaller."""
    starts = [range(part.start, part.stop, step) for part, step in zip(within, shape, strict=True)]
    for corner in product(*starts):
        yield tuple(
            slice(start, min(start + step, part.stop)) for start, step, part in zip(corner, shape, within, strict=True)
        )


def _as_read(given: Any, block: tuple[np.ndarray, np.ndarray | None], _: Box) -> tuple[np.ndarray, np.ndarray | None]:
    """What `_computed` reads, as it is."""
    return block


def _computed(given: tuple[da.Array, da.Array | None], box: Box) -> tuple[np.ndarray, np.ndarray | None]:
    """Compute a box of structures and of their mask at once, since both may come from the same voxels."""
    data, mask = given
    if mask is None:
        return data[box].compute(), None
    return dask.compute(data[box], mask[box])
