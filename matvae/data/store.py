"""Writing a store: shard by shard into a temporary folder, which is renamed once it is complete."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import zarr
from zarr.codecs import ZstdCodec

from ..errors import InputError, MatvaeError, StoreError
from ..files import move_into_place, unfinished
from ..grid import Grid
from ..room import expecting
from .checks import check_values
from .layout import (
    COMPRESSORS,
    MASK,
    Layout,
    check_property_names,
    consolidate,
    count_missing_files,
    is_store,
    root_attributes,
)
from .lazy_array import Box
from .zarr_tasks import closing_tasks

_SYNC_THREADS = 16


class StoreWriter:
    """Write structures to a new store in bounded memory; the store appears only once it is complete.

    The writer is a context manager. Blocks are appended in order and written one whole shard at a time into a temporary
    folder next to `path`, which is renamed at the end. After an error or an interrupt nothing remains, and an existing
    store is left unchanged.

    Parameters
    ----------
    path : path-like
        Folder of the new store, by convention ``NAME.zarr``; its parent folder must exist.
    grid : Grid
        Grid of one structure; with ``phases == 1`` the store holds continuous fields (float32).
    n_samples : int
        Number of structures that will be appended.
    property_names : sequence of str
        Names of the properties that accompany every block.
    units : mapping of str to str, optional
        Property name to its unit.
    attributes : mapping, optional
        Further root attributes, serializable as JSON.
    masked : bool
        Whether every block is accompanied by a mask.
    overwrite : bool
        Replace an existing store. Anything other than a store is never replaced.

    Raises
    ------
    InputError
        If a parameter is invalid, or if something at `path` may not be replaced.
    StoreError
        If the folder cannot be written.

    Examples
    --------
    >>> with StoreWriter("lines.zarr", Grid((64, 64)), n_samples=2, property_names=["n_lines"]) as writer:
    ...     writer.append(np.zeros((2, 64, 64), dtype=np.uint8), {"n_lines": np.zeros(2)})
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        grid: Grid,
        *,
        n_samples: int,
        property_names: Sequence[str] = (),
        units: Mapping[str, str] | None = None,
        attributes: Mapping[str, Any] | None = None,
        masked: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.path = Path(path).absolute()
        self.grid = grid
        self.n_samples = int(n_samples)
        if self.n_samples < 1:
            raise InputError(f"A store must hold at least one structure, but n_samples={n_samples} was given.")
        self.layout = Layout.of(grid, self.n_samples)
        check_property_names(property_names, grid)
        self.units = dict(units or {})
        if unknown := set(self.units) - set(property_names):
            raise InputError(f"Units are given for {sorted(unknown)}, but the properties are {sorted(property_names)}.")
        self.masked = masked
        self._root = root_attributes(grid, attributes or {}, masked=masked)
        self._properties = {name: np.empty(self.n_samples) for name in property_names}
        self._overwrite = overwrite
        self._appended = 0
        self._boxed = 0
        self._pending: list[tuple[np.ndarray, ...]] = []
        self._check_target()

    @property
    def shard_samples(self) -> int:
        """Number of structures per shard: the natural number to append at once."""
        return self.layout.file_shape[0]

    def __enter__(self) -> StoreWriter:
        with ExitStack() as stack, self._plain_errors():
            self._expected = stack.enter_context(expecting(self.path, self._n_bytes()))
            folder = stack.enter_context(unfinished(self.path))
            stack.enter_context(closing_tasks())
            self._temporary = folder / self.path.name
            self._create()
            self._ending = stack.pop_all()
        return self

    def append(
        self,
        block: np.ndarray,
        properties: Mapping[str, np.ndarray] | None = None,
        mask: np.ndarray | None = None,
    ) -> None:
        """Append structures ``(k, *space)``, their properties, name to ``(k,)``, and their mask ``(k, *space)``.

        Raises
        ------
        InputError
            If shape, type, labels, properties or mask do not match what was announced, or if there are more than
            `n_samples` structures.
        StoreError
            If the disk is full or cannot be written.
        """
        block = np.asarray(block)
        first, stop = self._appended, self._appended + len(block)
        if block.shape[1:] != self.grid.shape or stop > self.n_samples:
            raise InputError(
                f"A block must have the shape (k, *{self.grid.shape}) with k at most {self.n_samples - first} "
                f"(n_samples={self.n_samples}, of which {first} are appended), but it has the shape {block.shape}."
            )
        columns = {name: np.asarray(values, dtype=np.float64) for name, values in (properties or {}).items()}
        if set(columns) != set(self._properties) or any(values.shape != (len(block),) for values in columns.values()):
            raise InputError(
                f"The block must be accompanied by the properties {sorted(self._properties)} with {len(block)} numbers "
                f"each, but the given properties have the shapes { {name: v.shape for name, v in columns.items()} }."
            )
        blocks = self._checked(block, mask, first)
        for name, values in columns.items():
            self._properties[name][first:stop] = values
        self._pending.append(blocks)
        self._appended = stop
        self._flush(last=stop == self.n_samples)

    def write_box(self, box: Box, block: np.ndarray, mask: np.ndarray | None = None) -> None:
        """Write one box of the array and its mask, for structures that are too large to be appended as a whole.

        The box must consist of whole files (`layout.file_shape`). A store is written either by boxes or by `append`.
        """
        blocks = self._checked(block, mask, box[0].start)
        with self._plain_errors():
            for array, values in zip(self._arrays, blocks, strict=True):
                array[box] = values
        self._boxed += block.size
        self._expected.learn(self._temporary, self._boxed / math.prod(self.layout.shape))

    def set_properties(self, properties: Mapping[str, np.ndarray]) -> None:
        """Set the properties of all structures at once, name to ``(sample,)``; for use with `write_box`."""
        for name, values in properties.items():
            self._properties[name][:] = values

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pending = [] if kind is not None else self._pending
        with self._ending:
            if kind is None:
                with self._plain_errors():
                    self._finish()

    def _n_bytes(self) -> int:
        """Bytes of all values before they are compressed."""
        voxels = math.prod(self.layout.shape) * (self.layout.dtype.itemsize + self.masked)
        return voxels + 8 * self.n_samples * len(self._properties)

    def _check_target(self) -> None:
        if not self.path.parent.is_dir():
            raise InputError(f"The folder {self.path.parent} does not exist. Create it, or choose another output.")
        if not os.path.lexists(self.path):
            return
        if not self._overwrite:
            raise InputError(
                f"{self.path} exists already. Choose another name, or allow it to be replaced with overwrite=True."
            )
        if not is_store(self.path):
            raise InputError(
                f"{self.path} exists and is not a matvae store, so it is not replaced. Choose another name, or remove "
                "it yourself."
            )

    def _create(self) -> None:
        self._group = zarr.create_group(self._temporary, zarr_format=3, attributes=self._root)
        self._arrays = [self._create_array(self.layout.name, self.layout.dtype, self.layout.fill_value)]
        if self.masked:
            # 255 is neither inside nor outside, as it is no phase.
            self._arrays.append(self._create_array(MASK, np.dtype(np.uint8), 255))

    def _create_array(self, name: str, dtype: np.dtype, fill_value: float) -> zarr.Array:
        return self._group.create_array(
            name,
            shape=self.layout.shape,
            dtype=dtype,
            chunks=self.layout.chunks,
            shards=self.layout.shards,
            compressors=COMPRESSORS,
            fill_value=fill_value,
            dimension_names=("sample", *(self.grid.axes or ())),
            # No chunk is empty, as neither labels nor numbers are the fill value; looking takes a third of the time.
            config={"write_empty_chunks": True},
        )

    def _checked(self, block: np.ndarray, mask: np.ndarray | None, first_sample: int) -> tuple[np.ndarray, ...]:
        """Check a block and its mask, and return them in the types of the store."""
        if (mask is not None) != self.masked or (mask is not None and mask.shape != block.shape):
            raise InputError(
                f"A block of shape {block.shape} should be accompanied by "
                f"{'a mask of this shape' if self.masked else 'no mask (masked=False)'}, but "
                f"{'none' if mask is None else f'one of shape {mask.shape}'} was given."
            )
        values = self._checked_values(block, first_sample)
        return (values,) if mask is None else (values, mask.astype(bool).astype(np.uint8))

    def _checked_values(self, block: np.ndarray, first_sample: int) -> np.ndarray:
        check_values(block, self.grid.phases, source="The block to be stored", first_sample=first_sample)
        with np.errstate(over="ignore"):
            stored = block.astype(self.layout.dtype, copy=False)
        if self.grid.phases == 1:
            check_values(stored, 1, source="The block, stored as float32,", first_sample=first_sample)
        return stored

    def _flush(self, *, last: bool) -> None:
        """Write all whole shards that are pending; after the `last` block, a partial one as well."""
        size = self.shard_samples
        count = sum(len(blocks[0]) for blocks in self._pending)
        if not count:
            return
        if count < size and not last:
            # The caller may use its arrays again.
            self._pending[-1] = tuple(values.copy() for values in self._pending[-1])
            return
        joined = [_join(blocks) for blocks in zip(*self._pending, strict=True)]
        n_ready = count if last else count - count % size
        start = self._appended - count
        for array, values in zip(self._arrays, joined, strict=True):
            for low in range(0, n_ready, size):
                part = values[low : min(low + size, n_ready)]
                with self._plain_errors():
                    array[start + low : start + low + len(part)] = part
        self._pending = [tuple(values[n_ready:].copy() for values in joined)] if n_ready < count else []
        self._expected.learn(self._temporary, (start + n_ready) / self.n_samples)

    def _finish(self) -> None:
        if n_missing := sum(count_missing_files(array, self._temporary / array.basename) for array in self._arrays):
            raise InputError(
                f"{self.path} was to hold {self.n_samples} structures, but only {self._appended} were appended "
                f"({n_missing} shards or chunks are missing). Nothing was written. Append all structures, or reduce "
                "n_samples."
            )
        for name, values in self._properties.items():
            array = self._group.create_array(
                name,
                shape=values.shape,
                dtype="float64",
                chunks=values.shape,
                compressors=ZstdCodec(level=3, checksum=True),
                fill_value=np.nan,
                dimension_names=("sample",),
                attributes={"unit": self.units[name]} if name in self.units else {},
                # A property that is NaN (unknown) everywhere must remain distinguishable from a lost file.
                config={"write_empty_chunks": True},
            )
            array[:] = values
        consolidate(self._temporary)
        _sync(self._temporary)
        self._check_target()
        move_into_place(self._temporary, self.path)
        _sync_folder(self.path.parent)

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except MatvaeError:
            raise
        except OSError as error:
            raise StoreError(
                f"{self.path} cannot be written: {error.strerror or error}. Nothing of it remains, and an existing "
                "store is unchanged. Free some space, obtain write permission, or choose another folder."
            ) from error


def _join(blocks: Sequence[np.ndarray]) -> np.ndarray:
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def _sync(folder: Path) -> None:
    """Flush every file below `folder` to disk."""
    parents = [(Path(parent), files) for parent, _, files in os.walk(folder)]
    # File systems flush several files in little more than the time of one.
    with ThreadPoolExecutor(max_workers=_SYNC_THREADS) as pool:
        list(pool.map(_sync_file, [parent / file for parent, files in parents for file in files]))
    for parent, _ in parents:
        _sync_folder(parent)


def _sync_file(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    # Windows cannot open folders; a rename is as durable as possible there.
    if os.name == "posix":
        _sync_file(folder)
