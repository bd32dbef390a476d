"""Memory that a training frees and needs again in its next step."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

# Parameters of glibc's mallopt (malloc.h), and their defaults.
TRIM_THRESHOLD, MMAP_MAX = -1, -4
DEFAULT_TRIM_THRESHOLD, DEFAULT_MMAP_MAX = 128 << 10, 1 << 16
LARGEST = 2**31 - 1


@contextmanager
def kept_heap() -> Iterator[None]:
    """Context in which freed memory is kept for the next allocation; at its end, what is unused is given back.

    glibc gives large arrays back to the system at once, which clears their pages before it lends them again. For
    networks with many feature maps, this takes longer than the computation. Without glibc, nothing is changed.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(MMAP_MAX, 0)
    libc.mallopt(TRIM_THRESHOLD, LARGEST)
    try:
        yield
    finally:
        libc.mallopt(MMAP_MAX, DEFAULT_MMAP_MAX)
        libc.mallopt(TRIM_THRESHOLD, DEFAULT_TRIM_THRESHOLD)
        libc.malloc_trim(0)
