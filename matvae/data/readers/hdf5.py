"""HDF5: a data set of a plain file, or a cell array of a DREAM.3D file."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...errors import InputError, MissingExtraError
from ..lazy_array import Box, LazyArray, choose_chunks
from .source import Source, pick_name

_CELL_ARRAY = re.compile(r"DataContainers/([^/]+)/[^/]+/[^/]+")


class Hdf5Reader:
    """Reader of HDF5 files; in DREAM.3D files, cell arrays ``(z, y, x, component)`` are recognized by their path."""

    def matches(self, path: Path) -> bool:
        """Return whether the file name has one of the suffixes of HDF5."""
        return path.is_file() and path.suffix.lower() in (".h5", ".hdf5", ".hdf", ".dream3d")

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the data set called `name` (its path in the file, or the end of it), or the only one."""
        with _h5py().File(path, "r") as file:
            datasets = _datasets(file)
            cells = {key: shape for key, shape in datasets.items() if _CELL_ARRAY.fullmatch(key) and len(shape) == 4}
            name = pick_name(path, sorted(cells if cells and name is None else datasets), name, "data set")
            dataset = file[name]
            array = LazyArray(
                f"{path} ({name})",
                dataset.shape,
                dataset.dtype,
                choose_chunks(dataset.shape, dataset.dtype, native=dataset.chunks),
                partial(_read, path, name),
            )
            return _cell_source(file, name, array) if name in cells else Source(array)


def _datasets(file: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all data sets of numbers with at least one axis."""
    shapes: dict[str, tuple[int, ...]] = {}

    def visit(name: str, item: Any) -> None:
        if hasattr(item, "dtype") and item.dtype.kind in "biuf" and item.shape and "_SIMPL_GEOMETRY" not in name:
            shapes[name] = item.shape

    file.visititems(visit)
    return shapes


def _cell_source(file: Any, name: str, array: LazyArray) -> Source:
    if array.shape[3] != 1:
        raise InputError(
            f"{array.source} should hold one value per cell, but has {array.shape[3]} components. Choose an array of "
            "labels with name='...'."
        )
    array = array.squeeze(3)
    container = _CELL_ARRAY.fullmatch(name)
    spacing = file.get(f"DataContainers/{container[1]}/_SIMPL_GEOMETRY/SPACING") if container else None
    # DREAM.3D stores the spacing as (x, y, z), but arrays as (z, y, x). A single layer is a 2-D structure.
    voxel_size = None if spacing is None else tuple(float(length) for length in np.ravel(spacing[()])[::-1])
    if array.shape[0] == 1 and array.shape[1] > 1:
        return Source(array.squeeze(0), 2, voxel_size and voxel_size[1:])
    return Source(array, 3, voxel_size)


def _read(path: Path, name: str, box: Box) -> np.ndarray:
    with _h5py().File(path, "r") as file:
        return np.asarray(file[name][box])


def _h5py() -> ModuleType:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("Reading HDF5 needs h5py; install it with: pip install 'matvae[hdf5]'") from error
    return h5py


reader = Hdf5Reader()
