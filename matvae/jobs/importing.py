"""Job that imports images, volumes and arrays into one store, whole or cut into windows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Structures, concatenate, open_structures, save_structures, windows
from ..data.sample_blocks import Progress
from ..errors import InputError
from .files.outputs import check_output, size_on_disk
from .watch import watch_blocks

logger = logging.getLogger("matvae")


def import_structures(
    sources: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    phase_values: Sequence[int] | str | None = None,
    region: Sequence[slice | tuple[int | None, int | None]] | None = None,
    window: Sequence[int] | None = None,
    stride: int | Sequence[int] | None = None,
    voxel_size: float | Sequence[float] | None = None,
    unit: str | None = None,
    spatial_dims: int | None = None,
    periodic: bool | None = None,
    name: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Read structures from one or several sources and write them to a new store.

    Parameters
    ----------
    sources : path or sequence of path
        TIFF, PNG, npy/npz, HDF5, zarr: any source that `open_structures` reads.
    out : path
        New store.
    phase_values : sequence of int or ``"auto"``, optional
        The i-th value becomes phase i. ``"auto"`` takes the distinct values of all sources, in ascending order.
    region : sequence of (start, stop), optional
        Part of each source in voxels, one range per spatial axis.
    window : sequence of int, optional
        Size of the windows to cut, in voxels along each axis.
    stride : int or sequence of int, optional
        Voxels from one window to the next; by default the size of the windows.
    voxel_size, unit
        Edge lengths of a voxel and their unit; they override the sources.
    spatial_dims : int, optional
        Number of spatial axes, by default that of `window` or `region`.
    periodic : bool, optional
        Whether structures are periodic; by default as the sources state.
    name : str, optional
        Name of the array in sources that hold several.
    overwrite : bool
        Whether an existing store may be replaced.
    progress : callable, optional
        Called with the number of blocks that are read and their total.

    Returns
    -------
    dict
        ``out``, ``n_samples``, ``grid``, ``sources``, ``phase_values``, ``bytes``.

    Raises
    ------
    InputError, StoreError
        If a source cannot be read, sources are inconsistent, or the output cannot be written.
    """
    paths = [sources] if isinstance(sources, str | Path) else list(sources)
    if not paths:
        raise InputError("At least one source is needed, but none was given.")
    target = check_output(out, paths, overwrite=overwrite)
    if stride is not None and window is None:
        raise InputError(
            "stride is the distance between windows, but no window was given. Add one, such as --window 64,64."
        )
    options = {
        "spatial_dims": _spatial_dims(spatial_dims, window, region),
        "name": name,
        "periodic": periodic,
        "voxel_size": voxel_size,
        "unit": unit,
    }
    parts = _open(paths, phase_values, options)
    if window is not None:
        parts = [windows(part, window, stride=stride, region=region) for part in parts]
    elif region is not None:
        parts = [_crop(part, region) for part in parts]
    structures = _concatenate(parts, paths)
    with watch_blocks(progress, structures.data.npartitions):
        save_structures(target, structures, overwrite=overwrite)
    return {
        "out": str(target),
        "n_samples": len(structures),
        "grid": structures.grid.to_dict(),
        "sources": [{"name": str(path), "n_samples": len(part)} for path, part in zip(paths, parts, strict=True)],
        "phase_values": structures.attributes.get("phase_values"),
        "bytes": size_on_disk(target),
    }


def _spatial_dims(spatial_dims: int | None, window: Sequence[int] | None, region: Sequence | None) -> int | None:
    for name, value in {"window": window, "region": region}.items():
        if value is not None and spatial_dims not in (None, len(value)):
            raise InputError(
                f"{name} is given for {len(value)} axes, but there are {spatial_dims} spatial axes. Give one entry per "
                "spatial axis."
            )
        spatial_dims = spatial_dims if value is None else len(value)
    return spatial_dims


def _open(
    paths: Sequence[str | Path], phase_values: Sequence[int] | str | None, options: dict[str, Any]
) -> list[Structures]:
    parts = [open_structures(path, phase_values=phase_values, **options) for path in paths]
    if phase_values != "auto":
        return parts
    values_of_parts = [list(part.attributes.get("phase_values", [])) for part in parts]
    for path, values in zip(paths, values_of_parts, strict=True):
        logger.info("%s holds the values %s.", path, values)
    # A phase must be the same value in all sources, so the values of all sources together are used.
    union = sorted({value for values in values_of_parts for value in values})
    if any(values != union for values in values_of_parts):
        parts = [open_structures(path, phase_values=union, **options) for path in paths]
    logger.info("Phases: %s.", ", ".join(f"{value} becomes {phase}" for phase, value in enumerate(union)))
    return [replace(part, attributes={**part.attributes, "phase_values": union}) for part in parts]


def _crop(structures: Structures, region: Sequence[slice | tuple[int | None, int | None]]) -> Structures:
    """Cut a single window with the size of the region."""
    size = []
    for entry, length in zip(region, structures.grid.shape, strict=True):
        part = entry if isinstance(entry, slice) else slice(*entry)
        start, stop, _ = part.indices(length)
        size.append(max(stop - start, 1))
    return windows(structures, tuple(size), region=region)


def _concatenate(parts: Sequence[Structures], paths: Sequence[str | Path]) -> Structures:
    if len({part.grid.shape for part in parts}) > 1:
        sizes = ", ".join(f"{path}: {part.grid.shape}" for path, part in zip(paths, parts, strict=True))
        raise InputError(
            f"All structures must have one size, but the sources differ ({sizes}). Cut windows of one size from them "
            "with window=(...) (--window)."
        )
    structures = concatenate(list(parts))
    attributes = {**structures.attributes, "sources": [Path(path).name for path in paths]}
    if len(parts) == 1:
        return replace(structures, attributes=attributes)
    sources = np.repeat(np.arange(len(parts), dtype=float), [len(part) for part in parts])
    return replace(structures, properties={**structures.properties, "source": sources}, attributes=attributes)
