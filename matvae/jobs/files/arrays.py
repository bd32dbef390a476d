"""Zarr groups with one array along the samples, such as statistics or latents, written block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import ZstdCodec

from ...data.layout import MASK, consolidate
from ...data.zarr_tasks import closing_tasks
from ...errors import StoreError
from ...files import atomic_output
from ...grid import Grid

SCHEMA = 1
CHUNK_BYTES = 8 << 20


class ArrayWriter:
    """Writer that appends blocks of samples to an array of known final shape; see `new_array`.

    Whole chunks are written at once: a chunk that is written in parts is read and compressed again for each of them.
    """

    def __init__(self, group: zarr.Group, array: zarr.Array) -> None:
        self.group = group
        self.array = array
        self.written = 0
        self._pending: list[np.ndarray] = []

    def append(self, block: np.ndarray) -> None:
        """Write the next samples, ``(k, ...)``."""
        self._pending.append(block)
        self.written += len(block)
        n_pending, n_samples = sum(map(len, self._pending)), self.array.shape[0]
        n_ready = n_pending if self.written >= n_samples else n_pending - n_pending % self.array.chunks[0]
        if n_ready:
            joined, start = np.concatenate(self._pending), self.written - n_pending
            self.array[start : start + n_ready] = joined[:n_ready]
            # A copy, so that the samples that were written are not kept in memory.
            self._pending = [joined[n_ready:].copy()]

    def create_mask(self, grid: Grid) -> zarr.Array:
        """Create an array ``(sample, *space)`` for the masks of the structures, 1 inside and 0 outside."""
        shape = (self.array.shape[0], *grid.shape)
        chunks = (max(1, min(shape[0], CHUNK_BYTES // grid.n_voxels)), *grid.shape)
        return _create(self.group, MASK, shape, np.dtype(np.uint8), chunks, ("sample", *(grid.axes or ())))

    def add(self, name: str, values: np.ndarray, dimension: str, **attributes: Any) -> None:
        """Write a small array along one dimension, such as a coordinate or a property."""
        array = _create(self.group, name, values.shape, values.dtype, values.shape, (dimension,))
        array[...] = values
        array.attrs.update({k: v for k, v in attributes.items() if v is not None})


@contextmanager
def new_array(
    out: Path, name: str, shape: tuple[int, ...], dimensions: tuple[str, ...], attributes: Mapping[str, Any]
) -> Iterator[ArrayWriter]:
    """Create a group `out` with a float32 array ``(sample, ...)``; it appears once all samples are written.

    Parameters
    ----------
    out : Path
        The group; whatever exists there is replaced (see `check_output`).
    name, shape, dimensions
        Name, shape and dimension names of the array, sample axis first.
    attributes : mapping
        Root attributes, stored under ``"matvae"`` together with the schema number.
    """
    with atomic_output(out) as temporary, closing_tasks():
        group = zarr.open_group(
            temporary, mode="w-", zarr_format=3, attributes={"matvae": {"schema": SCHEMA, **attributes}}
        )
        bytes_per_sample = 4 * int(np.prod(shape[1:]))
        chunks = (max(1, min(shape[0], CHUNK_BYTES // max(1, bytes_per_sample))), *shape[1:])
        writer = ArrayWriter(group, _create(group, name, shape, np.dtype(np.float32), chunks, dimensions))
        yield writer
        if writer.written != shape[0]:
            raise StoreError(f"{out} must hold {shape[0]} samples, but only {writer.written} were written.")
        consolidate(temporary)


def _create(
    group: zarr.Group,
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype,
    chunks: tuple[int, ...],
    dimensions: tuple[str, ...],
) -> zarr.Array:
    return group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=chunks,
        compressors=ZstdCodec(level=1, checksum=True),
        fill_value=np.nan if dtype.kind == "f" else 0,
        dimension_names=dimensions,
    )
