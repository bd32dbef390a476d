"""Completeness of a store: which of its shards or chunks are there."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import zarr


def count_pieces(array: zarr.Array) -> int:
    """Number of files an array should have: its shards, or its chunks where it is not sharded."""
    return math.prod(_piece_grid(array))


def missing_pieces(array: zarr.Array, folder: Path) -> int:
    """Number of shards (or chunks) of an array in `folder` that are not there or empty.

    A missing one reads as fill value without an error, and `nchunks_initialized` counts empty files as there.
    """
    missing = 0
    for index in np.ndindex(*_piece_grid(array)):
        file = folder / array.metadata.encode_chunk_key(index)
        missing += not (file.is_file() and file.stat().st_size)
    return missing


def _piece_grid(array: zarr.Array) -> tuple[int, ...]:
    return tuple(
        math.ceil(length / piece) for length, piece in zip(array.shape, array.shards or array.chunks, strict=True)
    )
