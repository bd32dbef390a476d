"""Structures on disk: opening files, cutting windows, and the store. Depends on numpy, zarr and dask only."""

from __future__ import annotations

from .open import open_structures
from .readers.raw import RawLayout
from .save import save_structures
from .segment import Segmentation
from .store import StoreWriter
from .structures import Structures, concatenate
from .windows import windows
from .write import Written, write

__all__ = [
    "RawLayout",
    "Segmentation",
    "StoreWriter",
    "Structures",
    "Written",
    "concatenate",
    "open_structures",
    "save_structures",
    "windows",
    "write",
]
