"""MATLAB .mat files: version 5 to 7 through scipy, version 7.3, which is HDF5, through h5py.

Both come back in MATLAB's own order: the voxel ``A(i, j, k)`` of MATLAB is ``array[i - 1, j - 1, k - 1]``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import scipy.io

from ...errors import InputError, MissingExtraError
from ..lazy_array import Box, LazyArray, choose_chunks
from .source import DEFLATE_RATIO, Source, check_declared_size, pick_name
from .whole import whole_array

_DTYPES = {"logical": np.dtype(bool), "double": np.dtype(np.float64), "single": np.dtype(np.float32)} | {
    f"{sign}int{bits}": np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)
}
# Up to version 7, MATLAB stores doubles that are whole numbers in as little as one byte each.
_NARROWING = 8.0


class MatlabReader:
    """Reader of .mat files; an array of three axes is one volume, whose first index is taken for that of z."""

    def matches(self, path: Path) -> bool:
        """Return whether the file name has the suffix .mat."""
        return path.is_file() and path.suffix.lower() == ".mat"

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the array variable called `name`, or the only one with more than one element."""
        try:
            variables = scipy.io.whosmat(path)
        except NotImplementedError:
            array = _open_hdf5(path, name)
        else:
            array = _open_version_5(path, variables, name)
        if array.ndim != 3:
            return Source(array)
        # What MATLAB shows of A(row, column, slice) are images.
        return Source(array, 3, reason="a guess from MATLAB's order of indices", other_axes=("yxz", "yxs"))


def _open_version_5(path: Path, variables: list[tuple[str, tuple[int, ...], str]], name: str | None) -> LazyArray:
    arrays = {
        key: (tuple(map(int, shape)), _DTYPES[kind])
        for key, shape, kind in variables
        if kind in _DTYPES and math.prod(shape) > 1
    }
    name = pick_name(path, sorted(arrays), name, "MATLAB array")
    shape, dtype = arrays[name]
    declared = math.prod(shape) * dtype.itemsize
    check_declared_size(f"{path} ({name})", declared, path.stat().st_size, DEFLATE_RATIO * _NARROWING)
    return whole_array(f"{path} ({name})", shape, dtype, _LoadVariable(name, dtype), path)


@dataclass(frozen=True)
class _LoadVariable:
    """Reads one variable; two of the same name and type are equal, as `whole_array` asks."""

    name: str
    dtype: np.dtype

    def __call__(self, path: Path) -> np.ndarray:
        values = scipy.io.loadmat(path, variable_names=[self.name])[self.name]
        if values.dtype.kind == "c":
            raise InputError(
                f"{path} ({self.name}) should hold real numbers, but they are complex. Save its real part."
            )
        return np.array(values, self.dtype)


def _open_hdf5(path: Path, name: str | None) -> LazyArray:
    with _h5py().File(path, "r") as file:
        arrays: dict[str, np.dtype] = {}

        def visit(key: str, item: Any) -> None:
            # Cells and sparse matrices are kept in groups with a "#", strings and empty arrays are marked.
            kind = item.attrs.get("MATLAB_class", b"")
            dtype = _DTYPES.get(kind.decode() if isinstance(kind, bytes) else str(kind))
            is_plain = "#" not in key and "MATLAB_empty" not in item.attrs and "MATLAB_sparse" not in item.attrs
            if dtype is not None and is_plain and math.prod(getattr(item, "shape", ())) > 1:
                arrays[key] = dtype

        file.visititems(visit)
        name = pick_name(path, sorted(arrays), name, "MATLAB array")
        dataset = file[name]
        if dataset.dtype.kind not in "biuf":
            raise InputError(f"{path} ({name}) should hold real numbers, but they are complex. Save its real part.")
        if dataset.id.get_storage_size() == 0:
            raise InputError(
                f"{path} ({name}) declares an array of shape {dataset.shape[::-1]}, but holds none of its values. Save "
                "it again from MATLAB."
            )
        reversed_array = LazyArray(
            f"{path} ({name})",
            dataset.shape,
            arrays[name],
            choose_chunks(dataset.shape, arrays[name], native=dataset.chunks),
            partial(_read_hdf5, path, name, arrays[name]),
        )
        # HDF5 lists the axis whose index changes fastest last, MATLAB first.
        return reversed_array.transpose(range(reversed_array.ndim)[::-1])


def _read_hdf5(path: Path, name: str, dtype: np.dtype, box: Box) -> np.ndarray:
    with _h5py().File(path, "r") as file:
        return np.asarray(file[name][box]).astype(dtype, copy=False)


def _h5py() -> ModuleType:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError(
            "Reading MATLAB files of version 7.3 needs h5py; install it with: pip install 'matvae[hdf5]'"
        ) from error
    return h5py


reader = MatlabReader()
