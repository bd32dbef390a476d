"""Import: images, volumes and arrays of any kind into one store, as they are or cut into windows."""

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
    """Read structures from one or several sources and write them into a new store.

    Parameters
    ----------
    sources : path or sequence of path
        TIFF, PNG, npy/npz, HDF5, zarr: whatever `open_structures` reads.
    out : path
        New store.
    phase_values : sequence of int or ``"auto"``, optional
        The i-th value becomes phase i. ``"auto"`` takes the distinct values of all sources, in order.
    region : sequence of (start, stop), optional
        Part of each source, one range a spatial axis, in voxels.
    window : sequence of int, optional
        Cut windows of this many voxels along each axis.
    stride : int or sequence of int, optional
        Voxels from one window to the next; by default the window's size.
    voxel_size, unit
        Edge lengths of a voxel and their unit, where the source does not say them.
    spatial_dims : int, optional
        Number of spatial axes, by default that of `window` or `region`.
    periodic : bool, optional
        Whether structures continue on their opposite side; by default what the source says.
    name : str, optional
        Which array of a source that holds several.
    overwrite : bool
        Whether an existing store may be replaced.
    progress : callable, optional
        Called with the number of blocks read and their total.

    Returns
    -------
    dict
        ``out``, ``n_samples``, ``grid``, ``sources``, ``phase_values``, ``bytes``.

    Raises
    ------
    InputError, StoreError
        For sources that cannot be read or do not agree, or an output that cannot be written.
    """
    paths = [sources] if isinstance(sources, str | Path) else list(sources)
    if not paths:
        raise InputError("At least one source is needed, but none was given.")
    target = check_output(out, paths, overwrite=overwrite)
    if stride is not None and window is None:
        raise InputError(
            "stride says how far windows lie apart, but no window was given. Add one, such as --window 64,64."
        )
    dims = _spatial_dims(spatial_dims, window, region)
    how = {"spatial_dims": dims, "name": name, "periodic": periodic, "voxel_size": voxel_size, "unit": unit}
    opened = _open(paths, phase_values, how)
    if window is not None:
        opened = [windows(part, window, stride=stride, region=region) for part in opened]
    elif region is not None:
        opened = [_crop(part, region) for part in opened]
    joined = _join(opened, paths)
    with watch_blocks(progress, joined.data.npartitions):
        save_structures(target, joined, overwrite=overwrite)
    return {
        "out": str(target),
        "n_samples": len(joined),
        "grid": joined.grid.to_dict(),
        "sources": [{"name": str(path), "n_samples": len(part)} for path, part in zip(paths, opened, strict=True)],
        "phase_values": joined.attributes.get("phase_values"),
        "bytes": size_on_disk(target),
    }


def _spatial_dims(spatial_dims: int | None, window: Sequence[int] | None, region: Sequence | None) -> int | None:
    implied = {"window": window, "region": region}
    for what, value in implied.items():
        if value is not None and spatial_dims not in (None, len(value)):
            raise InputError(
                f"{what} names {len(value)} axes, but spatial_dims={spatial_dims}. Give one entry a spatial axis."
            )
        spatial_dims = spatial_dims if value is None else len(value)
    return spatial_dims


def _open(
    paths: Sequence[str | Path], phase_values: Sequence[int] | str | None, how: dict[str, Any]
) -> list[Structures]:
    opened = [open_structures(path, phase_values=phase_values, **how) for path in paths]
    if phase_values != "auto":
        return opened
    chosen = [list(part.attributes.get("phase_values", [])) for part in opened]
    for path, values in zip(paths, chosen, strict=True):
        logger.info("%s holds the values %s.", path, values)
    # A phase must mean one thing: the values of all sources together decide.
    union = sorted({value for values in chosen for value in values})
    if any(values != union for values in chosen):
        opened = [open_structures(path, phase_values=union, **how) for path in paths]
    logger.info("Phases: %s.", ", ".join(f"{value} becomes {phase}" for phase, value in enumerate(union)))
    return [replace(part, attributes={**part.attributes, "phase_values": union}) for part in opened]


def _crop(structures: Structures, region: Sequence[slice | tuple[int | None, int | None]]) -> Structures:
    """One window as large as the region."""
    size = []
    for entry, length in zip(region, structures.grid.shape, strict=True):
        part = entry if isinstance(entry, slice) else slice(*entry)
        start, stop, _ = part.indices(length)
        size.append(max(stop - start, 1))
    return windows(structures, tuple(size), region=region)


def _join(parts: Sequence[Structures], paths: Sequence[str | Path]) -> Structures:
    shapes = {part.grid.shape for part in parts}
    if len(shapes) > 1:
        found = ", ".join(f"{path}: {part.grid.shape}" for path, part in zip(paths, parts, strict=True))
        raise InputError(
            f"Structures of one size are needed, but the sources differ ({found}). Cut windows of one size "
            "from them "
            "with window=(...) (--window)."
        )
    joined = concatenate(list(parts))
    names = [Path(path).name for path in paths]
    if len(parts) == 1:
        return replace(joined, attributes={**joined.attributes, "sources": names})
    index = np.repeat(np.arange(len(parts), dtype=float), [len(part) for part in parts])
    return replace(
        joined,
        properties={**joined.properties, "source": index},
        attributes={**joined.attributes, "sources": names},
    )
