"""Lazy arrays: arrays on disk of which only the requested boxes are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from dask.array.core import normalize_chunks

from ..errors import MatvaeError, StoreError
from ..shortage import raise_shortage

Box = tuple[slice, ...]
# Memory of one task. Larger chunks are no faster; smaller ones cost scheduling time.
CHUNK_BYTES = 16 * 2**20
# A million chunks. Headers that declare more are damaged, and dask would fill memory with a list of the chunks.
_MOST_BYTES = 2**20 * CHUNK_BYTES
_MOST_NATIVE = 2**16


@dataclass(frozen=True)
class LazyArray:
    """An array described by its shape, its type, and a function that reads one box of it.

    Files are opened inside `read`, so that an instance can be pickled and used by any dask scheduler.

    Parameters
    ----------
    source : str
        Where the values come from, for messages: a path, with the name of the array inside it.
    shape : tuple of int
        Shape of the whole array.
    dtype : numpy.dtype
        Type of the values that `read` returns.
    chunks : tuple of tuple of int
        Chunks in which the array is best read, in dask's notation.
    read : callable
        Takes one slice with start and stop per axis and returns that box as a numpy array.
    """

    source: str
    shape: tuple[int, ...]
    dtype: np.dtype
    chunks: tuple[tuple[int, ...], ...]
    read: Callable[[Box], np.ndarray]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> np.ndarray:
        """Read the values that a numpy index (without new axes) selects: its bounding box, and no more.

        Raises
        ------
        StoreError
            If the file exists but its content cannot be read: it is damaged, or was removed in the meantime.
        """
        box, index_in_box = _split_index(index, self.shape)
        if any(part.start == part.stop for part in box):
            return np.empty([part.stop - part.start for part in box], self.dtype)[index_in_box]
        try:
            values = self.read(box)
        except MatvaeError:
            raise
        except Exception as error:
            raise_shortage(error)
            raise StoreError(
                f"{self.source} cannot be read at voxels {_describe(box)}: {type(error).__name__}: {error}. "
                "The file is damaged, incomplete or missing; restore it from a copy, or create it again."
            ) from error
        return values[index_in_box]

    def map(self, function: Callable[[np.ndarray, Box], np.ndarray], dtype: Any = None) -> LazyArray:
        """Apply ``function(values, box)``, which must preserve the shape, to every box that is read."""
        dtype = self.dtype if dtype is None else np.dtype(dtype)
        return replace(self, dtype=dtype, read=partial(_read_mapped, self.read, function))

    def expand(self) -> LazyArray:
        """Insert a first axis of length one."""
        return replace(
            self, shape=(1, *self.shape), chunks=((1,), *self.chunks), read=partial(_read_expanded, self.read)
        )

    def squeeze(self, axis: int) -> LazyArray:
        """Remove an axis of length one."""
        axis = axis % self.ndim
        return replace(
            self,
            shape=self.shape[:axis] + self.shape[axis + 1 :],
            chunks=self.chunks[:axis] + self.chunks[axis + 1 :],
            read=partial(_read_squeezed, self.read, axis),
        )

    def transpose(self, order: Sequence[int]) -> LazyArray:
        """Reorder the axes: axis ``order[i]`` becomes axis i."""
        order = tuple(order)
        if order == tuple(range(self.ndim)):
            return self
        return replace(
            self,
            shape=tuple(self.shape[axis] for axis in order),
            chunks=tuple(self.chunks[axis] for axis in order),
            read=partial(_read_transposed, self.read, order),
        )

    def to_dask(self) -> da.Array:
        """Return a dask array; slices of it read the corresponding box and no more."""
        # dask fuses a slice with the task that reads, so that only the slice is read, unless fancy=False is passed.
        return da.from_array(
            self,
            chunks=self.chunks,
            name=False,
            asarray=False,
            meta=np.empty((0,) * self.ndim, self.dtype),
        )


def choose_chunks(
    shape: Sequence[int], dtype: Any, *, whole: Sequence[int] = (), native: Sequence[int] | None = None
) -> tuple[tuple[int, ...], ...]:
    """Choose chunks of about 16 MiB: axes in `whole` are not split, others at multiples of `native` chunks.

    Raises
    ------
    ValueError
        If the array is so large that its header must be damaged.
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    if n_bytes > _MOST_BYTES:
        raise ValueError(f"its header declares {n_bytes} bytes of values, and at most {_MOST_BYTES} are read")
    lengths = tuple(-1 if axis in whole else "auto" for axis in range(len(shape)))
    if "auto" not in lengths or 0 in shape:
        return tuple((length,) for length in shape)
    previous = None if native is None else tuple(map(_multiple, shape, native))
    return normalize_chunks(lengths, tuple(shape), limit=CHUNK_BYTES, dtype=np.dtype(dtype), previous_chunks=previous)


def _multiple(length: int, native: int) -> int:
    """Return a multiple of the length of native chunks of which an axis has not too many."""
    native = max(1, int(native))
    return native * math.ceil(length / native / _MOST_NATIVE)


def contiguous_chunks(shape: Sequence[int], dtype: Any) -> tuple[tuple[int, ...], ...]:
    """Choose chunks of about 16 MiB, each of which is one run of bytes in a file that holds an array in C order."""
    n_left = max(1, CHUNK_BYTES // np.dtype(dtype).itemsize)
    steps: list[int] = []
    for length in reversed(shape):
        steps.insert(0, max(1, min(length, n_left)))
        n_left = max(1, n_left // steps[0]) if steps[0] == length else 1
    return normalize_chunks(tuple(steps), tuple(shape))


def _split_index(index: Any, shape: tuple[int, ...]) -> tuple[Box, tuple[Any, ...]]:
    """Split an index into its bounding box and the index that remains to be applied inside that box."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(part is Ellipsis for part in parts):
        at = next(i for i, part in enumerate(parts) if part is Ellipsis)
        parts[at : at + 1] = [slice(None)] * (len(shape) - len(parts) + 1)
    parts += [slice(None)] * (len(shape) - len(parts))
    box: list[slice] = []
    index_in_box: list[Any] = []
    for part, length in zip(parts, shape, strict=True):
        if isinstance(part, list | np.ndarray):
            positions = np.arange(length)[part]
            low, high = (int(positions.min()), int(positions.max()) + 1) if positions.size else (0, 0)
            box.append(slice(low, high))
            index_in_box.append(positions - low)
        elif isinstance(part, slice):
            selected = range(length)[part]
            low, high = sorted((selected[0], selected[-1])) if selected else (0, -1)
            box.append(slice(low, high + 1))
            index_in_box.append(slice(None, None, selected.step))
        else:
            position = range(length)[int(part)]
            box.append(slice(position, position + 1))
            index_in_box.append(0)
    return tuple(box), tuple(index_in_box)


def _describe(box: Box) -> str:
    return "[" + ", ".join(f"{part.start}:{part.stop}" for part in box) + "]"


def _read_mapped(read: Callable, function: Callable, box: Box) -> np.ndarray:
    return function(read(box), box)


def _read_expanded(read: Callable, box: Box) -> np.ndarray:
    return read(box[1:])[None]


def _read_squeezed(read: Callable, axis: int, box: Box) -> np.ndarray:
    return read((*box[:axis], slice(0, 1), *box[axis:])).squeeze(axis)


def _read_transposed(read: Callable, order: tuple[int, ...], box: Box) -> np.ndarray:
    return read(tuple(box[order.index(axis)] for axis in range(len(order)))).transpose(order)
