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
from .source import Source, check_declared_size, pick_name

_LEGACY_CELLS = re.compile(r"(DataContainers/[^/]+)/[^/]+/[^/]+")


class Hdf5Reader:
    """Reader of HDF5 files; cell arrays of DREAM.3D ``(z, y, x, component)`` are recognized by their geometry."""

    def matches(self, path: Path) -> bool:
        """Return whether the file name has one of the suffixes of HDF5."""
        return path.is_file() and path.suffix.lower() in (".h5", ".hdf5", ".hdf", ".dream3d")

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the data set called `name` (its path in the file, or the end of it), or the only one."""
        with _h5py().File(path, "r") as file:
            datasets = _datasets(file)
            geometries = {key: _geometry(file, key) for key, shape in datasets.items() if len(shape) in (3, 4)}
            cells = {key: geometry for key, geometry in geometries.items() if geometry is not None}
            name = pick_name(path, sorted(cells if cells and name is None else datasets), name, "data set")
            dataset = file[name]
            if dataset.chunks is None:
                # A data set in chunks may leave out those of its fill value; one without chunks is there as a whole.
                check_declared_size(f"{path} ({name})", dataset.nbytes, path.stat().st_size, 1)
            array = LazyArray(
                f"{path} ({name})",
                dataset.shape,
                dataset.dtype,
                choose_chunks(dataset.shape, dataset.dtype, native=dataset.chunks),
                partial(_read, path, name),
            )
            return _cell_source(array, cells[name]) if name in cells else Source(array)


def _datasets(file: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all data sets of numbers with at least one axis."""
    h5py = _h5py()
    shapes: dict[str, tuple[int, ...]] = {}

    def visit(name: str, item: Any) -> None:
        is_array = isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf" and item.shape
        if is_array and "_SIMPL_GEOMETRY" not in name:
            shapes[name] = item.shape

    file.visititems(visit)
    return shapes


# Spacing and origin along z, y and x, as far as a geometry states them.
_Geometry = tuple[tuple[float, ...] | None, tuple[float, ...] | None]


def _geometry(file: Any, name: str) -> _Geometry | None:
    """Return the image geometry on whose cells a data set is, or None if it is on none.

    DREAM.3D of format 7.0 and before keeps it beside the arrays as data sets, format 8.0 in attributes of a group above
    them. Both state lengths as (x, y, z).
    """
    legacy = _LEGACY_CELLS.fullmatch(name)
    if legacy and file[name].ndim == 4:
        lengths = [file.get(f"{legacy[1]}/_SIMPL_GEOMETRY/{key}") for key in ("SPACING", "ORIGIN")]
        spacing, origin = (None if entry is None else _reversed(entry[()]) for entry in lengths)
        return spacing, origin
    for group in _above(file, name):
        if group.attrs.get("ObjectType") in (b"ImageGeom", "ImageGeom"):
            dimensions = tuple(int(length) for length in np.ravel(group.attrs["_DIMENSIONS"])[::-1])
            if file[name].shape[:3] == dimensions:
                return _reversed(group.attrs["_SPACING"]), _reversed(group.attrs["_ORIGIN"])
    return None


def _above(file: Any, name: str) -> list[Any]:
    parts = name.split("/")[:-1]
    return [file["/".join(parts[:length])] for length in range(len(parts), 0, -1)]


def _reversed(lengths: Any) -> tuple[float, ...]:
    # Spacings are stored in single precision: its shortest decimal number is the one that was meant.
    return tuple(float(str(length)) for length in np.ravel(lengths)[::-1])


def _cell_source(array: LazyArray, geometry: _Geometry) -> Source:
    if array.ndim == 4 and array.shape[3] != 1:
        raise InputError(
            f"{array.source} should hold one value per cell, but has {array.shape[3]} components. Choose an array of "
            "labels with name='...' (command line: matvae import FILE OUT.zarr --name ...), or segment this one first."
        )
    voxel_size, origin = geometry
    cells = array.squeeze(3) if array.ndim == 4 else array
    return Source(cells, 3, voxel_size, axes="zyx", origin=origin)


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
