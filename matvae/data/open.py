"""Opening structures from whatever file or folder they are in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError, MatvaeError
from ..grid import Grid
from .blocks import Blocks
from .layout import is_store
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
        Number of spatial axes of one structure. An array with as many axes is one structure, one with one
        more is ``(sample, *space)``. By default a 1-D or 2-D array is one structure, a 3-D array a stack of
        images ``(sample, y, x)`` and a 4-D one a set of volumes ``(sample, z, y, x)``; OME-Zarr and DREAM.3D
        say it themselves.
    name : str, optional
        Which array of a file that holds several.
    phase_values : sequence of float or "auto", optional
        Values in the file, the i-th of which is phase i: ``(0, 255)``. ``"auto"`` takes the values that
        occur, in rising order, and tells them in ``attributes["phase_values"]``. By default integers must be
        labels 0 to H-1 already. Unless values are listed, all integers are read once to find those that
        occur.
    periodic : bool, optional
        Whether the structures continue periodically; by default what a store says, and False for measured
        data.
    voxel_size : float or sequence of float, optional
        Edge length of a voxel, instead of what the file says.
    unit : str, optional
        Unit of `voxel_size`, instead of what the file says.

    Returns
    -------
    Structures
        uint8 labels ``(sample, *space)``, or a continuous field (``grid.phases == 1``) where the file holds
        real numbers.

    Raises
    ------
    InputError
        If there is nothing readable at `path`, or if the values are not phases.
    StoreError
        If the data are damaged or incomplete; damage inside the voxels is found when they are read.
    """
    path = Path(path).expanduser().absolute()
    if not path.exists():
        raise InputError(f"There is no file or folder {path}. Check the spelling and the folder you are in.")
    if is_store(path):
        structures = _from_store(path, spatial_dims, name, phase_values)
    else:
        structures = _from_source(_open_source(path, name), spatial_dims, phase_values)
    changes: dict[str, Any] = {"periodic": periodic, "voxel_size": voxel_size, "unit": unit}
    grid = replace(structures.grid, **{key: value for key, value in changes.items() if value is not None})
    return replace(structures, grid=grid)


def _from_store(path: Path, spatial_dims: int | None, name: str | None, phase_values: PhaseValues) -> Structures:
    structures = open_store(path)
    if spatial_dims not in (None, structures.grid.ndim):
        raise InputError(
            f"{path} holds {structures.grid.ndim}-D structures, but spatial_dims={spatial_dims} was given."
        )
    if name not in (None, "field" if structures.grid.phases == 1 else "phase"):
        raise InputError(
            f"{path} is a matvae store, whose structures have no name to choose, but name={name!r} was given."
        )
    if phase_values not in (None, "auto"):
        raise InputError(
            f"{path} is a matvae store, whose labels are phases already, but phase_values={phase_values} was given."
        )
    return structures


def _open_source(path: Path, name: str | None) -> Source:
    reader = _reader(path)
    try:
        return reader.open(path, name)
    except MatvaeError:
        raise
    except Exception as error:
        raise InputError(
            f"{path} cannot be opened: {type(error).__name__}: {error}. The file is damaged, or is not what "
            "its name says."
        ) from error


def _reader(path: Path) -> Reader:
    # Built-in readers come first, so that a broken plugin harms only those who need it.
    for reader_name in READERS.names():
        reader: Reader = READERS.get(reader_name)
        if reader.matches(path):
            return reader
    inside = ""
    if path.is_dir():
        files = sorted(entry.name for entry in path.iterdir())
        inside = (
            f" The folder holds {', '.join(files[:8])}{', ...' if len(files) > 8 else ''}."
            if files
            else " It is empty."
        )
    raise InputError(
        f"{path} is no file or folder that matvae reads.{inside} Expected is a matvae store, zarr, OME-Zarr, "
        ".npy, .npz, .tif, .png, .h5 or .dream3d, or a folder of TIFF or PNG images."
    )


def _from_source(source: Source, spatial_dims: int | None, phase_values: PhaseValues) -> Structures:
    samples = _as_samples(source.blocks, spatial_dims or source.spatial_dims)
    ndim = samples.ndim - 1
    # A volume taken as a stack of images keeps the voxel size within the images.
    voxel_size = None if source.voxel_size is None or len(source.voxel_size) < ndim else source.voxel_size[-ndim:]
    labels, phases, values = label_phases(samples, phase_values)
    grid = Grid(labels.shape[1:], phases=phases, voxel_size=voxel_size, unit=source.unit, periodic=False)
    attributes = {} if values is None else {"phase_values": values}
    return Structures(labels.to_dask(), grid, attributes=attributes)


def _as_samples(blocks: Blocks, spatial_dims: int | None) -> Blocks:
    """Blocks ``(sample, *space)`` of an array whose first axis may or may not count samples."""
    if spatial_dims is not None and spatial_dims not in (1, 2, 3):
        raise InputError(f"spatial_dims must be 1, 2 or 3, but {spatial_dims!r} was given.")
    shape = blocks.shape
    if len(shape) > (spatial_dims or 2) and shape[-1] == 1:
        blocks = blocks.squeeze(-1)
    dims = spatial_dims if spatial_dims is not None else {1: 1, 2: 2, 3: 2, 4: 3}.get(blocks.ndim)
    if dims is None or blocks.ndim not in (dims, dims + 1) or 0 in blocks.shape:
        expected = f"{dims} or {dims + 1} axes" if dims else "1 to 4 axes"
        raise InputError(
            f"{blocks.source} should have {expected} (space, or samples and space) with something along "
            f"each, but its shape is {shape}. Choose another array with name='...', or say spatial_dims=1, 2 "
            "or 3."
        )
    return blocks.expand() if blocks.ndim == dims else blocks
