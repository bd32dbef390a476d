"""TIFF: one image, a stack of pages, or a folder or .zip archive of either; pages are decoded on demand."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
import zarr

from ...errors import DamagedFileError, InputError, MissingExtraError
from ..lazy_array import Box, LazyArray, choose_chunks
from .archive import Member, members
from .palette import grey_levels, named_colours
from .source import (
    DEFLATE_RATIO,
    JPEG_RATIO,
    Source,
    check_declared_size,
    check_piece_size,
    pick_name,
    visible_files,
)
from .stack import stack_images
from .tiff_metadata import Calibration, calibration

_SUFFIXES = (".tif", ".tiff")
# In this mode of tifffile a chunk is a whole page.
_WHOLE_PAGES = 2
# The most by which a compression can shrink data, by its number in TIFF. A block of zstd has at most 128 KiB and takes
# at least 4 bytes (RFC 8878); LZMA shrinks zeros to 1/6781. Others have no bound that would matter.
_RATIOS = {
    1: 1.0,  # none
    5: 2048.0,  # LZW
    32773: 64.0,  # PackBits
    **dict.fromkeys((8, 32946, 34933), DEFLATE_RATIO),  # and PNG
    **dict.fromkeys((6, 7, 33007, 34892), JPEG_RATIO),
    **dict.fromkeys((34926, 50000), 32768.0),  # zstd
    34925: 8192.0,  # LZMA
}
_WHITE_IS_ZERO, _PALETTE = 0, 3

F = TypeVar("F", Path, Member)


class TiffReader:
    """Reader of TIFF files (ImageJ and OME-TIFF included), and of folders and .zip archives of them."""

    def matches(self, path: Path) -> bool:
        """Return whether this is a TIFF file or a .zip archive, or a folder that contains TIFF files."""
        if path.is_file():
            return path.suffix.lower() in (*_SUFFIXES, ".zip")
        return bool(visible_files(path, _SUFFIXES))

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the pages as one array; `name` is the number of one of several series, or a file in an archive."""
        if path.is_dir():
            return _open_stack(path, visible_files(path, _SUFFIXES), name)
        if path.suffix.lower() != ".zip":
            return _open_file(path, name)
        files = members(path, _SUFFIXES)
        if not files:
            raise InputError(f"{path} should contain TIFF files, but has none. Unpack it, and give what it contains.")
        if name is None and len(files) > 1:
            return _open_stack(path, files, None)
        chosen = pick_name(path, [file.name for file in files], name, "TIFF file")
        return _open_file(Member(path, chosen), None)


@dataclass(frozen=True)
class _Image:
    """What a TIFF file states about its pages, of one series or of several of one kind."""

    shape: tuple[int, ...]
    dtype: np.dtype
    axes: str
    calibration: Calibration
    palette: tuple[tuple[int, int, int], ...] | None
    notes: tuple[str, ...]


def _open_file(file: Path | Member, name: str | None) -> Source:
    image = _describe(file, name)
    shape = image.shape
    # A page is decoded as a whole, so it must not be split between chunks.
    chunks = choose_chunks(shape, image.dtype, whole=range(max(0, len(shape) - 2), len(shape)))
    read = partial(_read, file, name=name, levels=_levels(image))
    return _source(LazyArray(str(file), shape, image.dtype, chunks, read), image.axes, image)


def _open_stack(path: Path, files: Sequence[F], name: str | None) -> Source:
    first = _describe(files[0], name)

    def describe(file: F) -> tuple[tuple[int, ...], np.dtype]:
        image = _describe(file, name)
        if image.palette != first.palette or image.notes != first.notes:
            raise InputError(
                f"All images in {path} should show their values alike, but {files[0].name} and {file.name} have "
                "different palettes or one has 0 as white. Convert them to grey images first."
            )
        return image.shape, image.dtype

    array = stack_images(path, files, describe, partial(_read, name=name, levels=_levels(first)))
    return _source(array, f"q{first.axes}", first)


def _source(array: LazyArray, axes: str, image: _Image) -> Source:
    scale = image.calibration
    return Source(array, None, scale.voxel_size, scale.unit, axes, scale.origin, image.notes)


def _describe(file: Path | Member, name: str | None) -> _Image:
    with _series(file, name) as chosen:
        first = chosen[0]
        page = first.keyframe
        # Axes that matvae does not know have no meaning here: pages of a stack, or those that a program numbered.
        axes = "".join({"S": "c"}.get(axis, axis.lower() if axis in "ZYXTC" else "q") for axis in first.axes)
        shape = tuple(int(length) for length in first.shape)
        if len(chosen) > 1:
            shape, axes = (len(chosen), *shape), f"q{axes}"
        palette = _palette(page)
        return _Image(shape, np.dtype(first.dtype), axes, calibration(first), palette, _notes(file, page, palette))


def _palette(page: Any) -> tuple[tuple[int, int, int], ...] | None:
    """Return the colours of the grey values of a page, from 0 to 255 each, if it has a palette."""
    if int(page.photometric) != _PALETTE or page.colormap is None:
        return None
    # Entries have 16 bits, but some programs fill only 8 of them.
    colours = page.colormap.T >> (8 if page.colormap.max() > 255 else 0)
    return tuple((int(red), int(green), int(blue)) for red, green, blue in colours)


def _notes(file: Path | Member, page: Any, palette: tuple[tuple[int, int, int], ...] | None) -> tuple[str, ...]:
    if int(page.photometric) == _WHITE_IS_ZERO:
        return ("0 is shown as white (WhiteIsZero); values are those stored, not inverted",)
    if palette is not None and grey_levels(palette) is None:
        return (f"values are the numbers of palette entries, not grey levels: {named_colours(palette)}",)
    return ()


def _levels(image: _Image) -> np.ndarray | None:
    """Return the grey levels of a palette of greys, if they differ from the values."""
    levels = None if image.palette is None else grey_levels(image.palette)
    is_same = levels is None or np.array_equal(levels, np.arange(len(levels)))
    return None if is_same or image.dtype != np.uint8 else levels


def _read(file: Path | Member, box: Box, name: str | None, levels: np.ndarray | None) -> np.ndarray:
    with _series(file, name) as chosen:
        if len(chosen) > 1:
            values = np.stack([_read_series(series, box[1:]) for series in chosen[box[0]]])
        else:
            values = _read_series(chosen[0], box)
    return values if levels is None else levels[values]


def _read_series(series: Any, box: Box) -> np.ndarray:
    mode = None if series.keyframe.is_tiled else _WHOLE_PAGES
    store = series.aszarr(chunkmode=mode)
    try:
        return np.asarray(zarr.open_array(store, mode="r")[box])
    finally:
        store.close()


@contextmanager
def _series(file: Path | Member, name: str | None) -> Iterator[Sequence[Any]]:
    """Open the series called `name`, or the only one, or all if they are images of one shape and type."""
    tifffile = _tifffile()
    with _refuse_lost_pages(file), _handle(file) as handle, tifffile.TiffFile(handle) as opened:
        series = opened.series
        kinds = {(entry.shape, entry.dtype, entry.axes) for entry in series}
        if name is None and len(kinds) == 1:
            chosen = list(series)
        else:
            numbers = [str(number) for number in range(len(series))]
            chosen = [series[int(pick_name(Path(str(file)), numbers, name, "image"))]]
        for entry in chosen:
            _check_size(file, entry, opened.filehandle.size)
        yield chosen


def _check_size(file: Path | Member, series: Any, available: int) -> None:
    page = series.keyframe
    ratio = _RATIOS.get(int(page.compression))
    # OME-TIFF spreads a series over several files.
    if ratio is not None and not series.is_multifile:
        n_bits = math.prod(series.shape) * page.bitspersample
        check_declared_size(str(file), n_bits // 8, available, ratio)
    piece = page.chunks if page.is_tiled else page.shape
    check_piece_size(str(file), math.prod(piece) * page.dtype.itemsize, "tile" if page.is_tiled else "page")


@contextmanager
def _handle(file: Path | Member) -> Iterator[Any]:
    if isinstance(file, Path):
        yield file
    else:
        with file.open() as handle:
            yield handle


@contextmanager
def _refuse_lost_pages(file: Path | Member) -> Iterator[None]:
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
        raise DamagedFileError(f"{file} is incomplete: {losses[0]}. Obtain a complete copy of it.")


def _tifffile() -> ModuleType:
    try:
        import tifffile
    except ImportError as error:
        raise MissingExtraError(
            "Reading TIFF needs tifffile and imagecodecs; install them with: pip install 'matvae[tiff]'"
        ) from error
    return tifffile


reader = TiffReader()
