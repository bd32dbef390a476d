"""Iteration over the samples of an array on disk, block by block: bounded memory, and every chunk is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .structures import Structures

# Called with the number of samples that are done, and their total.
Progress = Callable[[int, int], None]

# Memory of the results of one block. Intermediate spectra take a few times as much.
BLOCK_BYTES = 48 << 20
READ_BYTES = 16 << 20


def stage(progress: Progress | None, first: int, total: int) -> Progress | None:
    """Return what a stage of a job calls that begins after `first` of `total` samples; None if nothing is called."""
    return None if progress is None else lambda done, _: progress(first + done, total)


def samples_per_block(bytes_per_sample: int) -> int:
    """Return the number of samples whose results fit into a block, at least one."""
    return max(1, BLOCK_BYTES // max(1, bytes_per_sample))


def block_bounds(n_samples: int, size: int) -> Iterator[tuple[int, int]]:
    """Bounds (start, stop) of blocks of exactly `size` samples; the last one may be smaller."""
    for start in range(0, n_samples, size):
        yield start, min(start + size, n_samples)


def aligned(size: int, chunks: Sequence[int]) -> int:
    """Reduce a number of samples per block, by less than half, so that blocks and chunks begin together if possible.

    Parameters
    ----------
    size : int
        Largest number of samples.
    chunks : sequence of int
        Samples of each chunk; only the first counts, since those of a store are equal up to the last.
    """
    if size >= chunks[0]:
        return size - size % chunks[0]
    return next((n for n in range(size, size // 2, -1) if chunks[0] % n == 0), size)


def sample_blocks(data: Any, size: int) -> Iterator[tuple[int, np.ndarray]]:
    """Iterate over blocks of exactly `size` samples (the last one may be smaller), however the data are chunked.

    Parameters
    ----------
    data : dask.array.Array
        ``(sample, *space)``.
    size : int
        Number of samples per block.

    Yields
    ------
    (int, numpy.ndarray)
        Index of the first sample of the block, and the block ``(at most size, *space)``.
    """
    bytes_per_sample = data.dtype.itemsize * int(np.prod(data.shape[1:]))
    start, n_waiting = 0, 0
    parts: list[np.ndarray] = []
    for first, stop in chunk_spans(data.chunks[0], READ_BYTES // max(1, bytes_per_sample)):
        samples = data[first:stop].compute()
        while len(samples):
            part, samples = samples[: size - n_waiting], samples[size - n_waiting :]
            parts.append(part)
            n_waiting += len(part)
            if n_waiting == size:
                yield start, _concatenate(parts)
                start, n_waiting, parts = start + size, 0, []
    if parts:
        yield start, _concatenate(parts)


def read_block(structures: Structures, start: int, stop: int) -> Any:
    """Read some samples of structures into memory: an array, or `Structures` if they have a mask."""
    block = read_span(structures.data, start, stop)
    if structures.mask is None:
        return block
    mask = read_span(structures.mask, start, stop)
    return Structures(block, structures.grid, mask=mask, attributes=structures.attributes)


def read_span(data: Any, start: int, stop: int) -> np.ndarray:
    """Read some samples of a dask array into memory.

    The chunks of a block are few, and whoever calls this is a thread that reads ahead or one of several processes:
    threads of dask would compete with the computation for the cores, and take longer.
    """
    return np.asarray(data[start:stop].compute(scheduler="synchronous"))


def chunk_spans(chunks: Sequence[int], size: int) -> Iterator[tuple[int, int]]:
    """Group consecutive chunks into spans (start, stop) of at most `size` samples; a larger chunk is one span.

    No chunk is split, so that none is computed twice.
    """
    start = stop = 0
    for length in chunks:
        if stop > start and stop + length - start > size:
            yield start, stop
            start = stop
        stop += length
    if stop > start:
        yield start, stop


def _concatenate(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
