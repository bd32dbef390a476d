"""Opening structures from a file or folder of any supported format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError, MatvaeError
from ..grid import Grid
from ..validate import integer
from .layout import is_store
from .lazy_array import LazyArray
from .phase_values import PhaseValues, label_phases
from .readers import READERS, Reader, Source
from .stored import open_store
from .structures import Structures


def open_structures(
    path: str | os.PathLike[str],
    *,
    spatial_dims: int | None = None,
    name: str | None = None,
    phase_values: PhaseValues = None,
    periodic: bool | None = None,
    voxel_size: float | Sequence[float] | None = None,
    unit: str | None = None,
) -> Structures:
    """Open structures lazily: a matvae store, zarr, OME-Zarr, npy, npz, TIFF, PNG, HDF5 or DREAM.3D.

    Parameters
    ----------
    path : path-like
        File, zarr folder, or folder of TIFF or PNG images.
    spatial_dims : int, optional
        Number of spatial axes of one structure. An array with that many axes is one structure, an array with one
        more is ``(sample, *space)``. By default a 1-D or 2-D array is one structure, a 3-D array a stack of images
        ``(sample, y, x)``, and a 4-D array a set of volumes ``(sample, z, y, x)``; OME-Zarr and DREAM.3D files state it
        themselves.
    name : str, optional
        Name of the array in a file that holds several.
    phase_values : sequence of float or "auto", optional
        Values in the file, the i-th of which is phase i: ``(0, 255)``. ``"auto"`` takes the values that occur, in
        ascending order, and records them in ``attributes["phase_values"]``. By default integers must already be labels
        0 to H-1. Unless values are listed, all integers are read once to detect those that occur.
    periodic : bool, optional
        Whether the structures are periodic; by default as a store states, and False for other files.
    voxel_size : float or sequence of float, optional
        Edge lengths of a voxel; overrides the file.
    unit : str, optional
        Unit of `voxel_size`; overrides the file.

    Returns
    -------
    Structures
        uint8 labels ``(sample, *space)``, or a continuous field (``grid.phases == 1``) if the file holds real numbers.

    Raises
    ------
    InputError
        If there is nothing readable at `path`, a parameter is invalid, or the values are not phases.
    StoreError
        If the data are damaged or incomplete; damaged voxels are detected when they are read.
    """
    if spatial_dims is not None:
        spatial_dims = integer("spatial_dims", spatial_dims, 1, 3)
    path = Path(path).expanduser().absolute()
    if not path.exists():
        raise InputError(f"There is no file or folder {path}. Check the spelling and the current folder.")
    if is_store(path):
        structures = _from_store(path, spatial_dims, name, phase_values)
    else:
        structures = as_structures(open_source(_find_reader(path), path, name), spatial_dims, phase_values)
    overrides: dict[str, Any] = {"periodic": periodic, "voxel_size": voxel_size, "unit": unit}
    grid = replace(structures.grid, **{key: value for key, value in overrides.items() if value is not None})
    return replace(structures, grid=grid)


def _from_store(path: Path, spatial_dims: int | None, name: str | None, phase_values: PhaseValues) -> Structures:
    structures = open_store(path)
    if spatial_dims not in (None, structures.grid.ndim):
        raise InputError(
            f"{path} holds {structures.grid.ndim}-D structures, but spatial_dims={spatial_dims} was given."
        )
    if name not in (None, "field" if structures.grid.phases == 1 else "phase"):
        raise InputError(
            f"{path} is a matvae store, which has no arrays to choose from by name, but name={name!r} was given."
        )
    if phase_values not in (None, "auto"):
        raise InputError(
            f"{path} is a matvae store, whose labels already are phases, but phase_values={phase_values} was given."
        )
    return structures


def open_source(reader: Reader, path: Path, name: str | None) -> Source:
    """Open a file or folder with a given reader.

    Raises
    ------
    InputError
        If it is damaged or of another format; the message names `path`.
    """
    try:
        return reader.open(path, name)
    except MatvaeError:
        raise
    except Exception as error:
        raise InputError(
            f"{path} cannot be opened: {type(error).__name__}: {error}. The file is damaged, or not of the format that "
            "its name suggests."
        ) from error


def _find_reader(path: Path) -> Reader:
    # Built-in readers come first, so that a broken plugin affects only those who need it.
    for reader_name in READERS.names():
        reader: Reader = READERS.get(reader_name)
        if reader.matches(path):
            return reader
    content = ""
    if path.is_dir():
        files = sorted(entry.name for entry in path.iterdir())
        listed = ", ".join(files[:8]) + (", ..." if len(files) > 8 else "")
        content = f" The folder contains {listed}." if files else " The folder is empty."
    raise InputError(
        f"{path} is not a file or folder that matvae can read.{content} Supported are matvae stores, zarr, OME-Zarr, "
        ".npy, .npz, .tif, .png, .h5 and .dream3d files, and folders of TIFF or PNG images."
    )


def as_structures(source: Source, spatial_dims: int | None, phase_values: PhaseValues) -> Structures:
    """Interpret an array in a file as structures: its axes as samples and space, its values as phases.

    Parameters
    ----------
    source, spatial_dims, phase_values
        What a reader returned, and two parameters of `open_structures`.

    Raises
    ------
    InputError
        If the number of axes or the values do not match.
    """
    samples = _as_samples(source.array, spatial_dims or source.spatial_dims)
    ndim = samples.ndim - 1
    # If a volume is read as a stack of images, the voxel size within the images applies.
    voxel_size = None if source.voxel_size is None or len(source.voxel_size) < ndim else source.voxel_size[-ndim:]
    labels, phases, values = label_phases(samples, phase_values)
    grid = Grid(labels.shape[1:], phases=phases, voxel_size=voxel_size, unit=source.unit, periodic=False)
    attributes = {} if values is None else {"phase_values": values}
    return Structures(labels.to_dask(), grid, attributes=attributes)


def _as_samples(array: LazyArray, spatial_dims: int | None) -> LazyArray:
    """Return ``(sample, *space)`` for an array with or without an axis of samples."""
    shape = array.shape
    if len(shape) > (spatial_dims or 2) and shape[-1] == 1:
        array = array.squeeze(-1)
    ndim = spatial_dims if spatial_dims is not None else {1: 1, 2: 2, 3: 2, 4: 3}.get(array.ndim)
    if ndim is None or array.ndim not in (ndim, ndim + 1) or 0 in array.shape:
        expected = f"{ndim} or {ndim + 1} axes" if ndim else "1 to 4 axes"
        raise InputError(
            f"{array.source} should have {expected} (space, or samples and space), none of them empty, but its shape "
            f"is {shape}. Choose another array with name='...', or set spatial_dims to 1, 2 or 3."
        )
    return array.expand() if array.ndim == ndim else array
