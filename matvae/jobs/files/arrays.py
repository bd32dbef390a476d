"""Zarr groups with one array along the samples, such as statistics or latents, written block by block."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import ZstdCodec

from ...data.layout import MASK, consolidate, file_box, files_of, missing_files
from ...data.sample_blocks import aligned
from ...data.zarr_tasks import closing_tasks
from ...errors import InputError, StoreError
from ...files import atomic_output, move_into_place, unfinished
from ...grid import Grid
from ...room import AT_MOST, Expected, expecting

logger = logging.getLogger("matvae")
SCHEMA = 1
# Name of a group in the folder of what is kept.
GROUP = "result.zarr"
# Of a chunk: at most, and, unless these are all samples, at least.
CHUNK_BYTES, LEAST_CHUNK_BYTES = 8 << 20, 1 << 20


class ArrayWriter:
    """Writer of blocks of samples of an array of known final shape; see `new_array`.

    Whole chunks are written at once: a chunk that is written in parts is read and compressed again for each of them.
    This happens in a thread, while the next block is computed; an error appears with one of the next blocks, or in
    `flush`.
    """

    def __init__(
        self, path: Path, group: zarr.Group, array: zarr.Array, thread: Executor, expected: Expected | None = None
    ) -> None:
        self.path = path
        self.group = group
        self.array = array
        self.written = 0
        self._waiting = np.empty((array.chunks[0], *array.shape[1:]), array.dtype)
        self._n_waiting = 0
        self._thread = thread
        self._writing: Future[int] | None = None
        self._expected = expected
        # Samples that are there already, when a result is completed.
        self._sound = np.zeros(array.shape[0], dtype=bool)

    def append(self, block: np.ndarray) -> None:
        """Write the next samples, ``(k, ...)``."""
        self.write(self.written, block)

    def write(self, start: int, block: np.ndarray) -> None:
        """Write the samples from `start` on, ``(k, ...)``."""
        if start != self.written:
            self.flush()
            self.written = start
        size = self.array.chunks[0]
        if not self._n_waiting:
            n_whole = max(0, len(block) - (start + len(block)) % size)
            self.written += n_whole
            self._put(block[:n_whole])
            block = block[n_whole:]
        # The samples beyond the last whole chunk wait for those that follow, in one array: many small ones would keep
        # the memory around them from being used again.
        while len(block):
            part = block[: size - self.written % size]
            self._waiting[self._n_waiting : self._n_waiting + len(part)] = part
            self._n_waiting += len(part)
            self.written += len(part)
            block = block[len(part) :]
            if self.written % size == 0:
                self._put_waiting()

    def has_whole_chunks(self, size: int) -> bool:
        """Return whether blocks of `size` samples consist of whole chunks, so that several processes can write them."""
        return size % self.array.chunks[0] == 0

    def note(self, stop: int) -> None:
        """Take note that other processes have written the samples up to `stop`."""
        self.written = stop
        if self._expected is not None and self._expected.certainty == AT_MOST:
            # They may have written more by now.
            n_stored = len(files_of(self.array, self.path / self.array.basename)) * self.array.chunks[0]
            self._expected.learn(self.path, min(1, n_stored / self.array.shape[0]))

    def flush(self) -> None:
        """Write what waits for further samples, and wait until it is written."""
        self._put_waiting()
        self._finish()

    def _put_waiting(self) -> None:
        if self._n_waiting:
            self._put(self._waiting[: self._n_waiting])
            # The thread has the other one.
            self._waiting, self._n_waiting = np.empty_like(self._waiting), 0

    def _put(self, samples: np.ndarray) -> None:
        """Have the samples before `written` stored."""
        if len(samples):
            # One at a time, so that no more than this waits in memory.
            self._finish()
            self._writing = self._thread.submit(self._store, self.written - len(samples), samples)
            if self._expected is not None and self._expected.certainty == AT_MOST:
                # The first part tells the size of the whole, before others are computed in vain.
                self._finish()

    def _store(self, start: int, samples: np.ndarray) -> int:
        stop = start + len(samples)
        self.array[start:stop] = samples
        return stop

    def _finish(self) -> None:
        if self._writing is not None:
            n_stored = self._writing.result()
            self._writing = None
            if self._expected is not None:
                self._expected.learn(self.path, n_stored / self.array.shape[0])

    @property
    def n_sound(self) -> int:
        """Number of samples that were there already."""
        return int(self._sound.sum())

    def needed(self, start: int, stop: int) -> bool:
        """Whether some of these samples are still to be written."""
        return not self._sound[start:stop].all()

    def keep_sound(self, *names: str) -> None:
        """Regard samples as sound of which no file is missing, neither of the array nor of those named."""
        self._sound[:] = True
        for name in (self.array.basename, *names):
            array = self.group[name]
            assert isinstance(array, zarr.Array)
            for index in missing_files(array, self.path / name):
                self._sound[file_box(array, index)[0]] = False

    def create_mask(self, grid: Grid) -> zarr.Array:
        """Create an array ``(sample, *space)`` for the masks of the structures, 1 inside and 0 outside."""
        if MASK in self.group:
            return self.group[MASK]
        shape = (self.array.shape[0], *grid.shape)
        chunks = (max(1, min(shape[0], CHUNK_BYTES // grid.n_voxels)), *grid.shape)
        return _create(self.group, MASK, shape, np.dtype(np.uint8), chunks, ("sample", *(grid.axes or ())))

    def add(self, name: str, values: np.ndarray, dimension: str, **attributes: Any) -> None:
        """Write a small array along one dimension, such as a coordinate or a property."""
        if name in self.group:
            self.group[name][...] = values
            return
        array = _create(self.group, name, values.shape, values.dtype, values.shape, (dimension,))
        array[...] = values
        array.attrs.update({k: v for k, v in attributes.items() if v is not None})


@contextmanager
def new_array(
    out: Path,
    name: str,
    shape: tuple[int, ...],
    dimensions: tuple[str, ...],
    attributes: Mapping[str, Any],
    *,
    block: int = 1,
    resume: bool = False,
    kept: Path | None = None,
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
    block : int
        Number of samples that will be written at a time: chunks are parts of such a block unless they were too small.
    resume : bool
        Complete an existing group of which files are missing, in place. What `ArrayWriter.needed` does not ask for
        need not be written.
    kept : Path, optional
        Folder of `matvae.jobs.files.kept.kept_results`, in which a new group is written and stays if the job is
        interrupted; what an earlier run has written there is completed.

    Raises
    ------
    InputError
        If the existing group is the result of something else.
    StoreError
        If it is damaged, or samples are missing at the end.
    """
    if resume and out.exists():
        with unfinished(out), closing_tasks(), _writing_thread() as thread:
            writer = _existing(out, name, shape, attributes, thread)
            yield writer
            writer.flush()
            if missing_files(writer.array, out / name):
                raise StoreError(f"{out} is still incomplete. Remove it, and compute it again.")
        return
    bytes_per_sample = 4 * int(np.prod(shape[1:]))
    with (
        expecting(out, shape[0] * bytes_per_sample) as expected,
        atomic_output(out) if kept is None else nullcontext(kept / GROUP) as group_path,
        closing_tasks(),
        _writing_thread() as thread,
    ):
        if kept is not None and (group_path / name / "zarr.json").exists():
            writer = _existing(group_path, name, shape, attributes, thread)
            if writer.n_sound:
                logger.info("%d of %d samples are done already, and are reused.", writer.n_sound, shape[0])
        else:
            # Whatever an earlier run left there has no array yet.
            shutil.rmtree(group_path, ignore_errors=True)
            group = zarr.open_group(
                group_path, mode="w-", zarr_format=3, attributes={"matvae": {"schema": SCHEMA, **attributes}}
            )
            chunks = (min(shape[0], _samples_per_chunk(max(1, bytes_per_sample), block)), *shape[1:])
            array = _create(group, name, shape, np.dtype(np.float32), chunks, dimensions)
            writer = ArrayWriter(group_path, group, array, thread, expected)
        yield writer
        writer.flush()
        if kept is None and writer.written != shape[0]:
            raise StoreError(f"{out} must hold {shape[0]} samples, but only {writer.written} were written.")
        if missing_files(writer.array, group_path / name):
            raise StoreError(f"{out} is still incomplete. Compute it again.")
        # Of processes that were killed while they wrote a chunk.
        for leftover in (group_path / name).rglob("*.partial"):
            leftover.unlink()
        consolidate(group_path)
        if kept is not None:
            move_into_place(group_path, out)


def _samples_per_chunk(bytes_per_sample: int, block: int) -> int:
    most = max(1, CHUNK_BYTES // bytes_per_sample)
    return aligned(min(most, block) if block * bytes_per_sample >= LEAST_CHUNK_BYTES else most, [block])


def _writing_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="matvae-write-behind")


def _existing(
    out: Path, name: str, shape: tuple[int, ...], attributes: Mapping[str, Any], thread: Executor
) -> ArrayWriter:
    """Open an existing group for completion, if it is the result of the same command."""
    try:
        group = zarr.open_group(out, mode="r+", zarr_format=3)
        array, stated = group[name], group.attrs["matvae"]
        expected = json.loads(json.dumps({"schema": SCHEMA, **attributes}))
        if not isinstance(array, zarr.Array) or array.shape != shape or stated != expected:
            raise InputError(
                f"{out} is the result of other data or options, and cannot be completed with these. Pass the same "
                "ones, choose another output, or replace it with --overwrite (overwrite=True)."
            )
        writer = ArrayWriter(out, group, array, thread)
        writer.keep_sound(*([MASK] if MASK in group else []))
    except (FileNotFoundError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise StoreError(f"{out} cannot be completed: {error}. Remove it, and compute it again.") from error
    return writer


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
