"""Structures block by block: bounded memory, and every stored block is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Progress = Callable[[int, int], None]

# What one block of results may take. Intermediate spectra are a few times as large.
BLOCK_BYTES = 32 << 20
READ_BYTES = 16 << 20


def samples_per_block(bytes_per_sample: int) -> int:
    """Number of samples whose results fit a block, at least one."""
    return max(1, BLOCK_BYTES // max(1, bytes_per_sample))


def sample_blocks(data: Any, size: int) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks of exactly `size` whole samples (the last one may be smaller), however the data are chunked.

    Parameters
    ----------
    data : dask array ``(sample, *space)``
    size : int
        Samples a block.

    Yields
    ------
    (int, ndarray)
        Index of the block's first sample, and the block ``(at most size, *space)``.
    """
    start, waiting = 0, 0
    parts: list[np.ndarray] = []
    for read in _reads(data):
        rest = read
        while len(rest):
            part, rest = rest[: size - waiting], rest[size - waiting :]
            parts.append(part)
            waiting += len(part)
            if waiting == size:
                yield start, _joined(parts)
                start, waiting, parts = start + size, 0, []
    if parts:
        yield start, _joined(parts)


def _reads(data: Any) -> Iterator[np.ndarray]:
    """Read chunk by chunk along the samples; small chunks are read several at once."""
    bytes_per_sample = data.dtype.itemsize * int(np.prod(data.shape[1:]))
    most = max(1, READ_BYTES // max(1, bytes_per_sample))
    first = last = 0
    for chunk in data.chunks[0]:
        if last > first and last + chunk - first > most:
            yield data[first:last].compute()
            first = last
        last += chunk
    if last > first:
        yield data[first:last].compute()


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
