"""HDF5: a data set in a plain file, or a cell array of a DREAM.3D file."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...errors import InputError, MissingExtraError
from ..blocks import Blocks, Box, block_chunks
from .source import Source, pick_name

_CELL_ARRAY = re.compile(r"DataContainers/([^/]+)/[^/]+/[^/]+")


class Hdf5Reader:
    """Reader of HDF5 files; in DREAM.3D files, cell arrays ``(z, y, x, component)`` are found by place."""

    def matches(self, path: Path) -> bool:
        """Whether the file name ends as HDF5 files' names do."""
        return path.is_file() and path.suffix.lower() in (".h5", ".hdf5", ".hdf", ".dream3d")

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the data set called `name` (its path in the file, or the end of it), or the only one."""
        with _h5py().File(path, "r") as file:
            datasets = _datasets(file)
            cells = {key: shape for key, shape in datasets.items() if _CELL_ARRAY.fullmatch(key) and len(shape) == 4}
            chosen = pick_name(path, sorted(cells if cells and name is None else datasets), name, "data set")
            dataset = file[chosen]
            blocks = Blocks(
                f"{path} ({chosen})",
                dataset.shape,
                dataset.dtype,
                block_chunks(dataset.shape, dataset.dtype, native=dataset.chunks),
                partial(_read, path, chosen),
            )
            return _cell_source(file, chosen, blocks) if chosen in cells else Source(blocks)


def _datasets(file: Any) -> dict[str, tuple[int, ...]]:
    """Shapes of the data sets that hold numbers along at least one axis."""
    found: dict[str, tuple[int, ...]] = {}

    def visit(name: str, item: Any) -> None:
        if hasattr(item, "dtype") and item.dtype.kind in "biuf" and item.shape and "_SIMPL_GEOMETRY" not in name:
            found[name] = item.shape

    file.visititems(visit)
    return found


def _cell_source(file: Any, name: str, blocks: Blocks) -> Source:
    if blocks.shape[3] != 1:
        raise InputError(
            f"{blocks.source} should hold one value a cell, but has {blocks.shape[3]} components. Choose an "
            "array of labels with name='...'."
        )
    blocks = blocks.squeeze(3)
    container = _CELL_ARRAY.fullmatch(name)
    spacing = file.get(f"DataContainers/{container[1]}/_SIMPL_GEOMETRY/SPACING") if container else None
    # DREAM.3D gives the spacing as (x, y, z), arrays as (z, y, x); a single layer is a 2-D structure.
    size = None if spacing is None else tuple(float(v) for v in np.ravel(spacing[()])[::-1])
    if blocks.shape[0] == 1 and blocks.shape[1] > 1:
        return Source(blocks.squeeze(0), 2, size and size[1:])
    return Source(blocks, 3, size)


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
