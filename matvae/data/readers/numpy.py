"""Arrays saved by numpy: .npy by memory map, .npz read forward to the part that is needed."""

from __future__ import annotations

import math
import zipfile
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from ...errors import InputError
from ..blocks import Blocks, Box, block_chunks
from .source import Source, pick_name


class NumpyReader:
    """Reader of .npy and .npz files."""

    def matches(self, path: Path) -> bool:
        """Whether the file name ends with .npy or .npz."""
        return path.is_file() and path.suffix.lower() in (".npy", ".npz")

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the array; `name` picks one of several in an .npz file."""
        if path.suffix.lower() == ".npy":
            if name is not None:
                raise InputError(f"{path} holds one array without a name, but name={name!r} was given. Leave it out.")
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            return Source(
                Blocks(
                    str(path),
                    array.shape,
                    array.dtype,
                    block_chunks(array.shape, array.dtype),
                    partial(_read_npy, path),
                )
            )
        with zipfile.ZipFile(path) as archive:
            members = [member[: -len(".npy")] for member in archive.namelist() if member.endswith(".npy")]
            name = pick_name(path, members, name)
            with archive.open(f"{name}.npy") as file:
                shape, fortran, dtype = _header(file)
        if dtype.hasobject:
            raise InputError(
                f"{path} ({name}) should hold numbers, but holds Python objects. Save it as a plain array."
            )
        # The whole of a Fortran array is needed for any part of it; of a C array, what lies before it.
        whole = range(len(shape)) if fortran else range(1, len(shape))
        chunks = block_chunks(shape, dtype, whole=whole)
        return Source(Blocks(f"{path} ({name})", shape, dtype, chunks, partial(_read_npz, path, name)))


def _read_npy(path: Path, box: Box) -> np.ndarray:
    return np.array(np.load(path, mmap_mode="r", allow_pickle=False)[box])


def _read_npz(path: Path, name: str, box: Box) -> np.ndarray:
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        shape, fortran, dtype = _header(file)
        if fortran or not shape:
            count = math.prod(shape)
            whole = np.frombuffer(file.read(count * dtype.itemsize), dtype, count)
            return whole.reshape(shape, order="F")[box].copy()
        row = math.prod(shape[1:])
        rows = box[0].stop - box[0].start
        file.seek(box[0].start * row * dtype.itemsize, 1)
        values = np.frombuffer(file.read(rows * row * dtype.itemsize), dtype, rows * row)
        return values.reshape(rows, *shape[1:])[(slice(None), *box[1:])].copy()


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)


reader = NumpyReader()
