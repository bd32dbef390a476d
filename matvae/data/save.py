"""Saving structures to a store, in bounded memory however large the set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from typing import Any

import dask
import dask.array as da
import numpy as np

from ..errors import InputError
from ..grid import Grid
from .layout import SHARD_VOXELS
from .lazy_array import Box
from .sample_blocks import chunk_spans
from .store import StoreWriter
from .structures import Structures, as_dask

# Memory of the voxels that are computed at once: a few shards of labels, so that several threads read.
_SPAN_BYTES = 4 * SHARD_VOXELS


def save_structures(
    path: str | os.PathLike[str],
    structures: Structures | np.ndarray | da.Array,
    *,
    grid: Grid | None = None,
    properties: Mapping[str, Any] | None = None,
    units: Mapping[str, str] | None = None,
    attributes: Mapping[str, Any] | None = None,
    overwrite: bool = False,
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
            _stream_boxes(writer, structures)
        else:
            _stream_samples(writer, structures)


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


def _stream_samples(writer: StoreWriter, structures: Structures) -> None:
    sample_bytes = structures.grid.n_voxels * structures.data.dtype.itemsize
    # While a span is compressed and written, the next one is computed.
    with ThreadPoolExecutor(max_workers=1) as pool:
        written: Future[None] | None = None
        for start, stop in chunk_spans(structures.data.chunks[0], _SPAN_BYTES // sample_bytes):
            block, mask = _computed(structures, (slice(start, stop),))
            properties = {name: values[start:stop] for name, values in structures.properties.items()}
            if written is not None:
                written.result()
            written = pool.submit(writer.append, block, properties, mask)
        if written is not None:
            written.result()


def _stream_boxes(writer: StoreWriter, structures: Structures) -> None:
    layout = writer.layout
    corners = [range(0, length, step) for length, step in zip(layout.shape, layout.file_shape, strict=True)]
    for corner in product(*corners):
        box = tuple(
            slice(start, min(start + step, length))
            for start, step, length in zip(corner, layout.file_shape, layout.shape, strict=True)
        )
        writer.write_box(box, *_computed(structures, box))
    writer.set_properties(structures.properties)


def _computed(structures: Structures, box: Box) -> tuple[np.ndarray, np.ndarray | None]:
    """Compute a box of structures and of their mask at once, since both may come from the same voxels."""
    if structures.mask is None:
        return structures.data[box].compute(), None
    return dask.compute(structures.data[box], structures.mask[box])
