"""Blocks: an array on disk that is read box by box, and only when a box is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from dask.array.core import normalize_chunks

from ..errors import MatvaeError, StoreError

Box = tuple[slice, ...]
# What one task holds in memory. Larger blocks win no speed, smaller ones cost scheduling.
BLOCK_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Blocks:
    """A lazily read array: its shape, its type, and a function that reads one box of it.

    Files are opened inside `read`, so that an instance pickles and works with every dask scheduler.

    Parameters
    ----------
    source : str
        Where the values come from, for messages: a path, with the name of the array inside it.
    shape : tuple of int
        Shape of the whole array.
    dtype : numpy.dtype
        Type of the values that `read` returns.
    chunks : tuple of tuple of int
        Boxes in which the array is best read, as dask writes chunks.
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
        """Read what numpy indexing without new axes selects: the box around it, and no more.

        Raises
        ------
        StoreError
            If the file is there but its content cannot be read: it is damaged or was removed meanwhile.
        """
        box, rest = _split_index(index, self.shape)
        if any(part.start == part.stop for part in box):
            return np.empty([part.stop - part.start for part in box], self.dtype)[rest]
        try:
            block = self.read(box)
        except MatvaeError:
            raise
        except Exception as error:
            raise StoreError(
                f"{self.source} cannot be read at voxels {_describe(box)}: {type(error).__name__}: {error}. "
                "The file is damaged, incomplete or gone; restore it from a copy, or make it again."
            ) from error
        return block[rest]

    def map(self, function: Callable[[np.ndarray, Box], np.ndarray], dtype: Any = None) -> Blocks:
        """Blocks whose every box went through ``function(block, box)``, which must keep its shape."""
        dtype = self.dtype if dtype is None else np.dtype(dtype)
        return replace(self, dtype=dtype, read=partial(_read_mapped, self.read, function))

    def expand(self) -> Blocks:
        """Blocks with a new first axis of length one."""
        return replace(
            self, shape=(1, *self.shape), chunks=((1,), *self.chunks), read=partial(_read_expanded, self.read)
        )

    def squeeze(self, axis: int) -> Blocks:
        """Blocks without one axis of length one."""
        axis = axis % self.ndim
        return replace(
            self,
            shape=self.shape[:axis] + self.shape[axis + 1 :],
            chunks=self.chunks[:axis] + self.chunks[axis + 1 :],
            read=partial(_read_squeezed, self.read, axis),
        )

    def to_dask(self) -> da.Array:
        """Dask array whose tasks read these blocks; slicing it reads the sub-box and no more."""
        # dask merges a slice into the task that reads only without fancy=False.
        return da.from_array(
            self,
            chunks=self.chunks,
            name=False,
            asarray=False,
            meta=np.empty((0,) * self.ndim, self.dtype),
        )


def block_chunks(
    shape: Sequence[int], dtype: Any, *, whole: Sequence[int] = (), native: Sequence[int] | None = None
) -> tuple[tuple[int, ...], ...]:
    """Chunks of about 16 MiB: axes in `whole` uncut, the others at multiples of the `native` chunks."""
    wanted = tuple(-1 if axis in whole else "auto" for axis in range(len(shape)))
    if "auto" not in wanted or 0 in shape:
        return tuple((length,) for length in shape)
    previous = None if native is None else tuple(max(1, int(length)) for length in native)
    return normalize_chunks(wanted, tuple(shape), limit=BLOCK_BYTES, dtype=np.dtype(dtype), previous_chunks=previous)


def _split_index(index: Any, shape: tuple[int, ...]) -> tuple[Box, tuple[Any, ...]]:
    """Split an index into the box around it and the indexing that is left to do inside that box."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(part is Ellipsis for part in parts):
        at = next(i for i, part in enumerate(parts) if part is Ellipsis)
        parts[at : at + 1] = [slice(None)] * (len(shape) - len(parts) + 1)
    parts += [slice(None)] * (len(shape) - len(parts))
    box: list[slice] = []
    rest: list[Any] = []
    for part, length in zip(parts, shape, strict=True):
        if isinstance(part, list | np.ndarray):
            picked = np.arange(length)[part]
            low, high = (int(picked.min()), int(picked.max()) + 1) if picked.size else (0, 0)
            box.append(slice(low, high))
            rest.append(picked - low)
            continue
        if not isinstance(part, slice):
            start = range(length)[int(part)]
            box.append(slice(start, start + 1))
            rest.append(0)
            continue
        chosen = range(length)[part]
        low, high = (min(chosen[0], chosen[-1]), max(chosen[0], chosen[-1]) + 1) if chosen else (0, 0)
        box.append(slice(low, high))
        rest.append(slice(None, None, chosen.step))
    return tuple(box), tuple(rest)


def _describe(box: Box) -> str:
    return "[" + ", ".join(f"{part.start}:{part.stop}" for part in box) + "]"


def _read_mapped(read: Callable, function: Callable, box: Box) -> np.ndarray:
    return function(read(box), box)


def _read_expanded(read: Callable, box: Box) -> np.ndarray:
    return read(box[1:])[None]


def _read_squeezed(read: Callable, axis: int, box: Box) -> np.ndarray:
    return read((*box[:axis], slice(0, 1), *box[axis:])).squeeze(axis)
