"""Opening structures from a file or folder of any supported format, or from an array."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask.array as da

from ..errors import DamagedFileError, InputError, MatvaeError
from ..grid import Grid
from ..shortage import raise_shortage
from ..validate import integer
from ..warn import warn
from .array_source import array_source
from .axes import SPACE, arrange
from .layout import is_store
from .masks import MaskSource, comes_from_values, fill_outside, mask_of_labels, measured_voxels, with_mask
from .phase_values import PhaseValues, grey_values, label_phases, phase_values_option, refuse_missing
from .readers import READERS, Reader, Source
from .readers.raw import RawLayout, open_raw
from .readers.source import is_visible
from .segment import Segmentation, segment
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
    mask: MaskSource = None,
    segmentation: Segmentation | None = None,
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
    mask : path-like, array, "nan" or "missing", optional
        Voxels that belong to the sample, where not all do: an image of the size of the structures, 0 outside and
        another value inside, one for all structures or one for each. ``"nan"`` leaves out voxels that are NaN,
        ``"missing"`` those that the file says were not measured, such as points of an EBSD map that were not indexed.
    segmentation : Segmentation, optional
        How grey values become phases, instead of `phase_values`; all values are read once.

    Returns
    -------
    Structures
        uint8 labels ``(sample, *space)``, or a continuous field (``grid.phases == 1``) if the file holds real numbers.
        ``attributes["axes"]`` says what the axes of the file were taken for, and why, ``attributes["channels"]`` why
        one channel was taken of several, and ``attributes["segmentation"]`` how phases were made from grey values.

    Raises
    ------
    InputError
        If there is nothing readable at a path, a parameter is invalid, the axes are those of channels, colours or local
        states, the values are not phases, or the mask does not fit.
    StoreError
        If the data are damaged or incomplete; damaged voxels are detected when they are read.
    MissingExtraError
        If a library is missing; the message names the extra.
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
        "mask": mask,
    }
    is_list = isinstance(source, list | tuple) and source and all(isinstance(e, str | os.PathLike) for e in source)
    if segmentation is not None:
        parts = open_grey(source if is_list else [source], **options)
        return concatenate(segment(parts, segmentation).parts)
    return concatenate(open_all(source, **options)) if is_list else _open_one(source, **options)


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


def open_grey(sources: Sequence[Any], *, phase_values: PhaseValues = None, **options: Any) -> list[Structures]:
    """Open grey images to be segmented, as continuous fields whatever the type of their values.

    Parameters
    ----------
    sources : sequence
        Each is what `open_structures` takes.
    phase_values
        Must be None.
    **options
        As in `open_structures`.

    Returns
    -------
    list of Structures
        One set per source; their sizes may differ.

    Raises
    ------
    InputError, StoreError
        As in `open_structures`.
    """
    if phase_values is not None:
        raise InputError(
            f"Phases follow either from thresholds of grey values or from listed values, but both were given: "
            f"segmentation (--threshold) and phase_values={phase_values!r} (--phase-values, --phase-values-of). Omit "
            "one of them."
        )
    return [_open_one(source, phase_values=None, is_grey=True, **options) for source in sources]


def _open_one(
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
    mask: MaskSource = None,
    is_grey: bool = False,
) -> Structures:
    if spatial_dims is not None:
        spatial_dims = integer("spatial_dims", spatial_dims, 1, 3)
    if raw is not None and not isinstance(source, str | os.PathLike):
        raise InputError(
            "raw describes the voxels of a raw binary file, but an array or structures were given. Omit it."
        )
    meaning = {"axes": axes, "phase_values": phase_values, "mask": mask, "is_grey": is_grey}
    if isinstance(source, Structures):
        structures = _as_they_are(source, "The given set of structures", axes, spatial_dims, name, phase_values, mask)
    elif isinstance(source, str | os.PathLike):
        path = _existing(source, "Check the spelling and the current folder.")
        if raw is None and is_store(path):
            structures = _as_they_are(open_store(path), str(path), axes, spatial_dims, name, phase_values, mask)
        else:
            opened = open_source(find_reader(path)[1], path, name) if raw is None else open_raw(path, raw, name)
            structures = as_structures(_overruled(opened, voxel_size), spatial_dims, **meaning)
    else:
        opened = array_source(source, name)
        structures = as_structures(_overruled(opened, voxel_size), spatial_dims, **meaning)
    overrides: dict[str, Any] = {"periodic": periodic, "voxel_size": voxel_size, "unit": unit}
    grid = replace(structures.grid, **{key: value for key, value in overrides.items() if value is not None})
    return replace(structures, grid=grid)


def _open_mask(mask: Any, shape: tuple[int, ...], axes: str | None) -> da.Array:
    """Open a mask of structures ``(sample, *space)``, with their axes; it may have one sample for all of them."""
    if isinstance(mask, Structures):
        return mask_of_labels(mask, shape, "The given mask")
    ndim = len(shape) - 1
    if isinstance(mask, str | os.PathLike):
        path = _existing(
            mask,
            "Check the spelling, or leave voxels out by their values with mask='nan' or mask='missing' (command line: "
            "--mask nan or --mask missing).",
        )
        if is_store(path):
            return mask_of_labels(_open_one(path, spatial_dims=ndim), shape, str(mask))
        name, source = str(mask), open_source(find_reader(path)[1], path, None)
    else:
        name, source = "The given mask", array_source(mask, None)
    letters = axes
    if letters is not None and source.array.ndim < len(letters):
        letters = "".join(letter for letter in letters.lower() if letter in SPACE)
    return mask_of_labels(as_structures(source, ndim, "auto", letters), shape, name)


def _existing(path: str | os.PathLike[str], advice: str) -> Path:
    absolute = Path(path).expanduser().absolute()
    if not absolute.exists():
        raise InputError(f"There is no file or folder {absolute}. {advice}")
    return absolute


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
    mask: MaskSource,
) -> Structures:
    """Refuse options that contradict structures whose axes and phases are known, and add a mask."""
    grid = structures.grid
    space = "".join(grid.axes or ())
    if axes is not None and axes.lower() not in (space, f"s{space}"):
        raise InputError(f"{source} holds structures with the axes {space}, but axes={axes!r} was given. Omit axes.")
    if spatial_dims not in (None, grid.ndim):
        raise InputError(f"{source} holds {grid.ndim}-D structures, but spatial_dims={spatial_dims} was given.")
    if name not in (None, "field" if grid.phases == 1 else "phase"):
        raise InputError(f"{source} has no arrays to choose from by name, but name={name!r} was given. Omit name.")
    if comes_from_values(mask):
        raise InputError(
            f"{source} holds structures, in which voxels that were not measured are outside the mask already, but "
            f"mask={mask!r} was given. Open or import the image itself with this mask."
        )
    if mask is not None:
        structures = with_mask(structures, _open_mask(mask, structures.data.shape, None))
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
        raise_shortage(error)
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
    source: Source,
    spatial_dims: int | None,
    phase_values: PhaseValues,
    axes: str | None = None,
    mask: MaskSource = None,
    is_grey: bool = False,
) -> Structures:
    """Interpret an array in a file as structures: its axes as samples and space, its values as phases.

    Parameters
    ----------
    source, spatial_dims, phase_values, axes, mask
        What a reader returned, and parameters of `open_structures`.
    is_grey : bool
        Whether values are grey values to be segmented, which make a continuous field.

    Raises
    ------
    InputError
        If the axes or the values do not match.
    """
    arranged = arrange(source, axes, spatial_dims)
    samples, inside = arranged.array, None
    if comes_from_values(mask):
        inside = measured_voxels(samples, mask, source.missing)
    elif mask is not None:
        inside = array_source(_open_mask(mask, samples.shape, axes), None).array
    if source.missing is not None and not comes_from_values(mask):
        refuse_missing(source.array, source.missing, phase_values)
    if inside is not None:
        samples = fill_outside(samples, inside, phase_values, is_grey=is_grey)
    if source.notes and is_grey:
        warn(f"{source.array.source}: {'; '.join(source.notes)}. Phases are numbered from the lowest stored value.")
    elif source.notes and phase_values is None:
        _warn_of_notes(source, "phase_values=(...) (command line: matvae import FILE OUT.zarr --phase-values ...)")
    labels, phases, values = (grey_values(samples), 1, None) if is_grey else label_phases(samples, phase_values)
    if source.notes and isinstance(phase_values, str) and values is not None:
        _warn_of_notes(source, phase_values_option(values))
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
    if arranged.channels:
        attributes["channels"] = arranged.channels
    if source.notes:
        attributes["notes"] = list(source.notes)
    if values is not None:
        attributes["phase_values"] = values
    structures = Structures(labels.to_dask(), grid, attributes=attributes)
    return structures if inside is None else with_mask(structures, inside.to_dask())


def _warn_of_notes(source: Source, option: str) -> None:
    """Say that values are not what a viewer shows, and with which option they are listed as phases."""
    warn(
        f"{source.array.source}: {'; '.join(source.notes)}. List which value is which phase to be sure: {option}, or "
        "in another order."
    )
