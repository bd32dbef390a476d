"""Files that can only be read as a whole: the last one is kept, so that its windows do not read it once each."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock

import numpy as np

from ..lazy_array import Box, LazyArray

# Returns the whole array of a file.
Load = Callable[[Path], np.ndarray]

_lock = Lock()


def whole_array(source: str, shape: tuple[int, ...], dtype: np.dtype, load: Load, path: Path) -> LazyArray:
    """Describe an array that `load` reads as a whole when a box of it is first requested.

    Parameters
    ----------
    source, shape, dtype
        As in `LazyArray`.
    load : callable
        Takes `path` and returns the array; two that are equal must do the same, so that it is not a lambda.
    path : Path
        File. The array is kept until another one is read or the file changes.
    """
    chunks = tuple((length,) for length in shape)
    return LazyArray(source, shape, np.dtype(dtype), chunks, partial(_read, load, path))


def _read(load: Load, path: Path, box: Box) -> np.ndarray:
    status = path.stat()
    # Threads of dask that request the same file wait for the first of them.
    with _lock:
        values = _load(load, path, (status.st_mtime_ns, status.st_size))
    return values[box].copy()


@lru_cache(maxsize=1)
def _load(load: Load, path: Path, version: tuple[int, int]) -> np.ndarray:
    return load(path)
