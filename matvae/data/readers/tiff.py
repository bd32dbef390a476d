"""TIFF: one image, a stack of pages, or a folder of either; pages are decoded on demand."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import zarr

from ...errors import InputError, MissingExtraError
from ..lazy_array import Box, LazyArray, choose_chunks
from .source import Source, natural_order, pick_name
from .stack import stack_images

_SUFFIXES = (".tif", ".tiff")
# In this mode of tifffile a chunk is a whole page.
_WHOLE_PAGES = 2


class TiffReader:
    """Reader of TIFF files (ImageJ and OME-TIFF included) and of folders of them."""

    def matches(self, path: Path) -> bool:
        """Return whether this is a TIFF file, or a folder that contains some."""
        return path.suffix.lower() in _SUFFIXES if path.is_file() else bool(_files(path))

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the pages as one array; in a file with several series, `name` is the number of the series."""
        if path.is_dir():
            describe = partial(_describe, name=name)
            return Source(stack_images(path, _files(path), describe, partial(_read, name=name)))
        shape, dtype = _describe(path, name)
        # A page is decoded as a whole, so it must not be split between chunks.
        chunks = choose_chunks(shape, dtype, whole=range(max(0, len(shape) - 2), len(shape)))
        return Source(LazyArray(str(path), shape, dtype, chunks, partial(_read, path, name=name)))


def _files(folder: Path) -> list[Path]:
    files = (file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file())
    return sorted(files, key=natural_order)


def _describe(path: Path, name: str | None) -> tuple[tuple[int, ...], np.dtype]:
    with _series(path, name) as series:
        shape = tuple(int(length) for length in series.shape)
        if colours := [length for axis, length in zip(series.axes, shape, strict=True) if axis in "SC" and length > 1]:
            raise InputError(
                f"{path} should have one value per voxel, but has {colours[0]} channels or colours (axes "
                f"{series.axes}). Convert it to a grey image, or segment it, first."
            )
        grey_shape = tuple(length for axis, length in zip(series.axes, shape, strict=True) if axis not in "SC")
        return grey_shape, np.dtype(series.dtype)


def _read(path: Path, box: Box, name: str | None) -> np.ndarray:
    with _series(path, name) as series:
        mode = None if series.keyframe.is_tiled else _WHOLE_PAGES
        store = series.aszarr(chunkmode=mode)
        try:
            spatial = iter(box)
            index = tuple(0 if axis in "SC" else next(spatial) for axis in series.axes)
            return np.asarray(zarr.open_array(store, mode="r")[index])
        finally:
            store.close()


@contextmanager
def _series(path: Path, name: str | None) -> Iterator[Any]:
    tifffile = _tifffile()
    with _refuse_lost_pages(path), tifffile.TiffFile(path) as file:
        numbers = [str(number) for number in range(len(file.series))]
        yield file.series[int(pick_name(path, numbers, name, "image"))]


@contextmanager
def _refuse_lost_pages(path: Path) -> Iterator[None]:
    """Refuse a truncated file: tifffile only logs that pages are lost, and continues with those that remain."""
    losses: list[str] = []

    def collect(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "invalid page offset" in message or "failed to reshape" in message:
            losses.append(message)
        return True

    logger = logging.getLogger("tifffile")
    logger.addFilter(collect)
    try:
        yield
    finally:
        logger.removeFilter(collect)
    if losses:
        raise InputError(f"{path} is incomplete: {losses[0]}. Obtain a complete copy of it.")


def _tifffile() -> ModuleType:
    try:
        import tifffile
    except ImportError as error:
        raise MissingExtraError(
            "Reading TIFF needs tifffile and imagecodecs; install them with: pip install 'matvae[tiff]'"
        ) from error
    return tifffile


reader = TiffReader()
