"""EBSD maps in HDF5: .h5oina of Oxford Instruments, and .h5ebsd, a volume of slices that DREAM.3D has imported.

Layouts as specified by Oxford Instruments (H5OINA 8.0) and in the documentation of DREAM.3D 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...errors import InputError, MissingExtraError
from ..lazy_array import Box, LazyArray, choose_chunks
from .source import Source

# Phase of points that were not indexed, whatever the file writes there.
NOT_INDEXED = -1
PHASE_DTYPE = np.dtype(np.int16)


@dataclass(frozen=True)
class _Slice:
    """Where the phases of one slice are in a file.

    Parameters
    ----------
    phases : str
        Path of the data set with one phase per point, row by row.
    confidence : str, optional
        Path of the confidence index, which is -1 at points that were not indexed; otherwise their phase is 0.
    """

    phases: str
    confidence: str | None = None


def open_ebsd_hdf5(path: Path) -> Source:
    """Describe the phases of the only map of an .h5oina file, or those of all slices of an .h5ebsd file.

    Raises
    ------
    InputError
        If the file has another layout, several maps, or points that do not fill a square grid.
    """
    with _h5py().File(path, "r") as file:
        return _open_dream3d(path, file) if "Max X Points" in file else _open_oxford(path, file)


def _open_oxford(path: Path, file: Any) -> Source:
    maps = [key for key in file if f"{key}/EBSD/Data/Phase" in file]
    if len(maps) != 1:
        raise InputError(
            f"{path} should hold one EBSD map, as files of Oxford Instruments (.h5oina) and DREAM.3D (.h5ebsd) do, but "
            f"has {len(maps)} in a layout that is known. Export the map as .ctf or .ang instead."
        )
    group = file[f"{maps[0]}/EBSD"]
    shape = tuple(int(_scalar(group["Header"], f"{axis} Cells")) for axis in "YX")
    step = tuple(_scalar(group["Header"], f"{axis} Step") for axis in "YX")
    if not all(step):
        raise InputError(f"{path} should hold an EBSD map, but holds a line scan (steps {step}). Export a map.")
    source = _lazy(path, file, [_Slice(f"{maps[0]}/EBSD/Data/Phase")], shape)
    corner = tuple(-length / 2 for length in step)
    return Source(source.squeeze(0), voxel_size=step, unit="micrometer", axes="yx", origin=corner, missing=NOT_INDEXED)


def _open_dream3d(path: Path, file: Any) -> Source:
    shape = tuple(int(_scalar(file, f"Max {axis} Points")) for axis in "YX")
    step = tuple(_scalar(file, f"{axis} Resolution") for axis in "ZYX")
    slices = []
    for index in np.ravel(file["Index"]):
        group = file[str(index)]
        if "GRID" in group["Header"] and _text(group["Header/GRID"][()]).startswith("Hex"):
            raise InputError(
                f"{path} should have its points on square grids, as voxels are, but slice {index} has a hexagonal one. "
                "Convert the map to a square grid in DREAM.3D before it is imported there."
            )
        if "PhaseData" in group["Data"]:
            slices.append(_Slice(f"{index}/Data/PhaseData", f"{index}/Data/Confidence Index"))
        else:
            slices.append(_Slice(f"{index}/Data/Phase"))
    # By default, the slice with the lowest index is the first along z.
    if "Stacking Order" in file and _text(file["Stacking Order"].attrs.get("Name", "")).startswith("High"):
        slices.reverse()
    return Source(_lazy(path, file, slices, shape), voxel_size=step, unit="micrometer", axes="zyx", missing=NOT_INDEXED)


def _lazy(path: Path, file: Any, slices: list[_Slice], shape: tuple[int, ...]) -> LazyArray:
    """Return ``(slice, y, x)``."""
    for part in slices:
        n_points = file[part.phases].size
        if n_points != shape[0] * shape[1]:
            raise InputError(
                f"{path} ({part.phases}) should have one point at each place of a {shape[0]} x {shape[1]} grid, but "
                f"has {n_points} points. Export the whole rectangular map."
            )
    full = (len(slices), *shape)
    return LazyArray(
        str(path),
        full,
        PHASE_DTYPE,
        choose_chunks(full, PHASE_DTYPE, whole=(2,)),
        partial(_read, path, tuple(slices), shape),
    )


def _read(path: Path, slices: tuple[_Slice, ...], shape: tuple[int, ...], box: Box) -> np.ndarray:
    # Points are stored row by row, so that whole rows are read.
    points = slice(box[1].start * shape[1], box[1].stop * shape[1])
    layers = []
    with _h5py().File(path, "r") as file:
        for part in slices[box[0]]:
            phases = np.ravel(file[part.phases].astype(PHASE_DTYPE)[points])
            is_missing = phases == 0 if part.confidence is None else np.ravel(file[part.confidence][points]) == -1
            phases[is_missing] = NOT_INDEXED
            layers.append(phases.reshape(-1, shape[1])[:, box[2]])
    return np.stack(layers)


def _scalar(group: Any, name: str) -> float:
    return float(np.ravel(group[name])[0])


def _text(value: Any) -> str:
    """Return the text in an attribute or a data set, which may be an array of one."""
    first = np.ravel(value)[0]
    return first.decode() if isinstance(first, bytes) else str(first)


def _h5py() -> ModuleType:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("Reading EBSD maps needs h5py; install it with: pip install 'matvae[ebsd]'") from error
    return h5py
