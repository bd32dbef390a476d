"""Arrays saved by numpy: .npy files are memory-mapped, .npz files are read up to the end of the requested part."""

from __future__ import annotations

import math
import zipfile
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from ...errors import InputError
from ..lazy_array import Box, LazyArray, choose_chunks, contiguous_chunks
from .source import DEFLATE_RATIO, Source, check_declared_size, pick_name


class NumpyReader:
    """Reader of .npy and .npz files."""

    def matches(self, path: Path) -> bool:
        """Return whether the file name has the suffix .npy or .npz."""
        return path.is_file() and path.suffix.lower() in (".npy", ".npz")

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the array; `name` chooses one of several in an .npz file."""
        if path.suffix.lower() == ".npy":
            if name is not None:
                raise InputError(f"{path} holds one array without a name, but name={name!r} was given. Omit name.")
            with path.open("rb") as file:
                shape, _, dtype = _header(file)
                _check_header(str(path), shape, dtype, path.stat().st_size)
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            in_order = contiguous_chunks if array.flags.c_contiguous else choose_chunks
            chunks = in_order(array.shape, array.dtype)
            return Source(LazyArray(str(path), array.shape, array.dtype, chunks, partial(_read_npy, path)))
        with zipfile.ZipFile(path) as archive:
            members = [member[: -len(".npy")] for member in archive.namelist() if member.endswith(".npy")]
            name = pick_name(path, members, name)
            with archive.open(f"{name}.npy") as file:
                shape, fortran, dtype = _header(file)
            entry = archive.getinfo(f"{name}.npy")
            ratio = 1.0 if entry.compress_type == zipfile.ZIP_STORED else DEFLATE_RATIO
            _check_header(f"{path} ({name})", shape, dtype, entry.compress_size, ratio)
        # To read a part, an array in C order is decompressed up to its end, one in Fortran order entirely.
        whole = range(len(shape)) if fortran else range(1, len(shape))
        chunks = choose_chunks(shape, dtype, whole=whole)
        return Source(LazyArray(f"{path} ({name})", shape, dtype, chunks, partial(_read_npz, path, name)))


def _check_header(source: str, shape: tuple[int, ...], dtype: np.dtype, available: int, ratio: float = 1) -> None:
    if dtype.hasobject:
        raise InputError(
            f"{source} should hold numbers, but holds Python objects, as numpy saves a list of arrays of different "
            "sizes. Save an array of numbers, or each image to a file of its own."
        )
    check_declared_size(source, math.prod(shape) * dtype.itemsize, available, ratio)


def _read_npy(path: Path, box: Box) -> np.ndarray:
    return np.array(np.load(path, mmap_mode="r", allow_pickle=False)[box])


def _read_npz(path: Path, name: str, box: Box) -> np.ndarray:
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        shape, fortran, dtype = _header(file)
        if fortran or not shape:
            count = math.prod(shape)
            values = np.frombuffer(file.read(count * dtype.itemsize), dtype, count)
            return values.reshape(shape, order="F")[box].copy()
        row_size = math.prod(shape[1:])
        n_rows = box[0].stop - box[0].start
        file.seek(box[0].start * row_size * dtype.itemsize, 1)
        values = np.frombuffer(file.read(n_rows * row_size * dtype.itemsize), dtype, n_rows * row_size)
        return values.reshape(n_rows, *shape[1:])[(slice(None), *box[1:])].copy()


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)


reader = NumpyReader()
