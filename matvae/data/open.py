"""Opening structures from a file or folder of any supported format, or from an array."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import DamagedFileError, InputError, MatvaeError
from ..grid import Grid
from ..validate import integer
from ..warn import warn
from .array_source import array_source
from .axes import arrange
from .layout import is_store
from .phase_values import PhaseValues, label_phases, refuse_missing
from .readers import READERS, Reader, Source
from .readers.raw import RawLayout, open_raw
from .readers.source import is_visible
from .stored import open_store
from .structures import Structures, concatenate

logger = logging.getLogger("matvae")


def open_structures(
    source: Any,
    *,
    axes: str | None = None,
    spatial_dims: int | None = None,
    name: str | None = None,
    phase_values: PhaseValues = None,
    periodic: bool | None = None,
    voxel_size: float | Sequence[float] | None = None,
    unit: str | None = None,
    raw: RawLayout | None = None,
) -> Structures:
    """Open structures lazily: files of many formats, arrays, or structures that are open already.

    Parameters
    ----------
    source : path-like, list of path-like, array-like or Structures
        A matvae store, zarr, OME-Zarr, npy, npz, TIFF, PNG, BMP, JPEG, HDF5, DREAM.3D, MATLAB, EBSD (.ang, .ctf,
        .h5oina, .h5ebsd), VTK (.vti), MetaImage, NRRD or raw binary file, a .zip of TIFF files, or a folder of images;
        several of them, whose structures follow each other; an array of numpy, dask or xarray, or a
        list of images of one size; or `Structures`, which are returned with the overrides below.
    axes : str, optional
        What each axis of the array is, one letter per axis: ``s`` sample, ``t`` time, ``z``, ``y``, ``x`` space, and
        ``c`` channel, which must have length one; axes of length one may be left out. ``"zyx"`` is a volume and
        ``"syx"`` a stack of images. The order is free: ``"xyz"`` is a volume whose first index is that of x. Overrules
        the file.
    spatial_dims : int, optional
        Number of spatial axes of one structure; overrules the file. An array without words for its axes with that many
        axes is one structure, an array with one more is ``(sample, *space)``. By default, such an array is one
        structure in 1-D or 2-D, a stack of images ``(sample, y, x)`` in 3-D, with a warning, and a set of volumes
        ``(sample, z, y, x)`` in 4-D. ImageJ, OME-TIFF, OME-Zarr, DREAM.3D and xarray state it themselves.
    name : str, optional
        Name of the array in a file that holds several.
    phase_values : sequence of float or "auto", optional
        Values in the file, the i-th of which is phase i: ``(0, 255)``. ``"auto"`` takes the values that occur, in
        ascending order, in all sources together, and records them in ``attributes["phase_values"]``. By default
        integers must already be labels 0 to H-1. Unless values are listed, all integers are read once to detect those
        that occur.
    periodic : bool, optional
        Whether the structures are periodic; by default as a store states, and False for other files.
    voxel_size : float or sequence of float, optional
        Edge lengths of a voxel; overrides the file.
    unit : str, optional
        Unit of `voxel_size`; overrides the file.
    raw : RawLayout, optional
        Shape, type and byte order of the voxels in raw binary files, whatever their suffix and headers beside them.

    Returns
    -------
    Structures
        uint8 labels ``(sample, *space)``, or a continuous field (``grid.phases == 1``) if the file holds real numbers.
        ``attributes["axes"]`` says what the axes of the file were taken for, and why.

    Raises
    ------
    InputError
        If there is nothing readable at a path, a parameter is invalid, the axes are those of channels, colours or local
        states, or the values are not phases.
    StoreError
        If the data are damaged or incomplete; damaged voxels are detected when they are read.
    """
    options: dict[str, Any] = {
        "axes": axes,
        "spatial_dims": spatial_dims,
        "name": name,
        "phase_values": phase_values,
        "periodic": periodic,
        "voxel_size": voxel_size,
        "unit": unit,
        "raw": raw,
    }
    if isinstance(source, list | tuple) and source and all(isinstance(entry, str | os.PathLike) for entry in source):
        return concatenate(open_all(source, **options))
    return _open_one(source, **options)


def open_all(
    paths: Sequence[str | os.PathLike[str]], *, phase_values: PhaseValues = None, **options: Any
) -> list[Structures]:
    """Open several sources with the same phase for each value in all of them.

    Parameters
    ----------
    paths : sequence of path-like
    phase_values, **options
        As in `open_structures`; ``"auto"`` takes the values that occur in any of the sources.

    Returns
    -------
    list of Structures
        One set per source; their sizes may differ.

    Raises
    ------
    InputError, StoreError
        As in `open_structures`.
    """
    parts = [_open_one(path, phase_values=phase_values, **options) for path in paths]
    if not isinstance(phase_values, str):
        return parts
    values_of_parts = [list(part.attributes.get("phase_values", [])) for part in parts]
    for path, values in zip(paths, values_of_parts, strict=True):
        logger.info("%s holds the values %s.", path, values)
    union = sorted({value for values in values_of_parts for value in values})
    if any(values != union for values in values_of_parts):
        parts = [_open_one(path, phase_values=union, **options) for path in paths]
    return [replace(part, attributes={**part.attributes, "phase_values": union}) for part in parts]


def _open_one(
    source: Any,
    *,
    axes: str | None,
    spatial_dims: int | None,
    name: str | None,
    phase_values: PhaseValues,
    periodic: bool | None,
    voxel_size: float | Sequence[float] | None,
    unit: str | None,
    raw: RawLayout | None = None,
) -> Structures:
    if spatial_dims is not None:
        spatial_dims = integer("spatial_dims", spatial_dims, 1, 3)
    if raw is not None and not isinstance(source, str | os.PathLike):
        raise InputError(
            "raw describes the voxels of a raw binary file, but an array or structures were given. Omit it."
        )
    if isinstance(source, Structures):
        structures = _as_they_are(source, "The given set of structures", axes, spatial_dims, name, phase_values)
    elif isinstance(source, str | os.PathLike):
        path = Path(source).expanduser().absolute()
        if not path.exists():
            raise InputError(f"There is no file or folder {path}. Check the spelling and the current folder.")
        if raw is None and is_store(path):
            structures = _as_they_are(open_store(path), str(path), axes, spatial_dims, name, phase_values)
        else:
            opened = open_source(find_reader(path)[1], path, name) if raw is None else open_raw(path, raw, name)
            structures = as_structures(_overruled(opened, voxel_size), spatial_dims, phase_values, axes)
    else:
        opened = array_source(source, name)
        structures = as_structures(_overruled(opened, voxel_size), spatial_dims, phase_values, axes)
    overrides: dict[str, Any] = {"periodic": periodic, "voxel_size": voxel_size, "unit": unit}
    grid = replace(structures.grid, **{key: value for key, value in overrides.items() if value is not None})
    return replace(structures, grid=grid)


def _overruled(source: Source, voxel_size: float | Sequence[float] | None) -> Source:
    # Positions in the file are of the scale that a given voxel size replaces.
    return source if voxel_size is None else replace(source, voxel_size=None, origin=None)


def _as_they_are(
    structures: Structures,
    source: str,
    axes: str | None,
    spatial_dims: int | None,
    name: str | None,
    phase_values: PhaseValues,
) -> Structures:
    """Refuse options that contradict structures whose axes and phases are known."""
    grid = structures.grid
    space = "".join(grid.axes or ())
    if axes is not None and axes.lower() not in (space, f"s{space}"):
        raise InputError(f"{source} holds structures with the axes {space}, but axes={axes!r} was given. Omit axes.")
    if spatial_dims not in (None, grid.ndim):
        raise InputError(f"{source} holds {grid.ndim}-D structures, but spatial_dims={spatial_dims} was given.")
    if name not in (None, "field" if grid.phases == 1 else "phase"):
        raise InputError(f"{source} has no arrays to choose from by name, but name={name!r} was given. Omit name.")
    if phase_values is None or (isinstance(phase_values, str) and phase_values == "auto"):
        return structures
    if list(phase_values) != structures.attributes.get("phase_values"):
        raise InputError(
            f"{source} holds structures whose labels already are phases, but phase_values={phase_values} was given. "
            "Open or import the image itself with these values."
        )
    return structures


def open_source(reader: Reader, path: Path, name: str | None) -> Source:
    """Open a file or folder with a given reader.

    Raises
    ------
    DamagedFileError
        If it is damaged or of another format; the message names `path`.
    """
    try:
        return reader.open(path, name)
    except MatvaeError:
        raise
    except Exception as error:
        raise DamagedFileError(
            f"{path} cannot be opened: {type(error).__name__}: {error}. The file is damaged, or not of the format that "
            "its name suggests."
        ) from error


def find_reader(path: Path) -> tuple[str, Reader]:
    """Return the reader of a file or folder, and its name.

    Raises
    ------
    InputError
        If there is none; the message lists the formats that matvae reads.
    """
    # Built-in readers come first, so that a broken plugin affects only those who need it.
    for reader_name in READERS.names():
        reader: Reader = READERS.get(reader_name)
        if reader.matches(path):
            return reader_name, reader
    content = ""
    if path.is_dir():
        files = sorted(entry.name for entry in path.iterdir() if is_visible(entry.name))
        listed = ", ".join(files[:8]) + (", ..." if len(files) > 8 else "")
        content = f" The folder contains {listed}." if files else " The folder is empty."
    raise InputError(
        f"{path} is not a file or folder that matvae can read.{content} Supported are matvae stores, zarr, OME-Zarr, "
        ".npy, .npz, .tif, .png, .bmp, .jpg, .h5, .dream3d, .mat, .ang, .ctf, .h5oina, .h5ebsd, .vti, .mhd, .mha and "
        ".nrrd files, raw binary files with a header beside them, a .zip of TIFF files, and folders of images."
    )


def as_structures(
    source: Source, spatial_dims: int | None, phase_values: PhaseValues, axes: str | None = None
) -> Structures:
    """Interpret an array in a file as structures: its axes as samples and space, its values as phases.

    Parameters
    ----------
    source, spatial_dims, phase_values, axes
        What a reader returned, and three parameters of `open_structures`.

    Raises
    ------
    InputError
        If the axes or the values do not match.
    """
    arranged = arrange(source, axes, spatial_dims)
    if source.missing is not None:
        refuse_missing(source.array, source.missing, phase_values)
    if source.notes and (phase_values is None or isinstance(phase_values, str)):
        warn(
            f"{source.array.source}: {'; '.join(source.notes)}. List which value is which phase to be sure: "
            "phase_values=(...) (command line: matvae import FILE OUT.zarr --phase-values ...)."
        )
    labels, phases, values = label_phases(arranged.array, phase_values)
    grid = Grid(
        labels.shape[1:],
        phases=phases,
        axes=arranged.axes,
        voxel_size=arranged.voxel_size,
        unit=source.unit,
        origin=arranged.origin,
        periodic=False,
    )
    attributes: dict[str, Any] = {"axes": arranged.taken}
    if source.notes:
        attributes["notes"] = list(source.notes)
    if values is not None:
        attributes["phase_values"] = values
    return Structures(labels.to_dask(), grid, attributes=attributes)
