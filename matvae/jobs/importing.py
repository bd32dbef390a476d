"""Job that imports images, volumes and arrays into one store, whole or cut into windows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data import RawLayout, Segmentation, Structures, concatenate, open_structures, save_structures, windows
from ..data.data_bar import rows_without_data_bar
from ..data.layout import is_store
from ..data.masks import comes_from_values, valid_fractions
from ..data.open import open_all, open_grey
from ..data.phase_values import PhaseValues
from ..data.sample_blocks import Progress
from ..data.windows import Region, bounds, keep_valid
from ..errors import InputError
from ..room import size_on_disk
from ..warn import warn
from .cluster import crew_of
from .files.figures import check_figure, save_figure
from .files.outputs import check_output, is_model
from .segmenting import describe_segmentation, preview, segmented_beside

logger = logging.getLogger("matvae")


def import_structures(
    sources: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    axes: str | None = None,
    phase_values: PhaseValues = None,
    phase_values_of: str | Path | None = None,
    phase_names: Sequence[str] | None = None,
    region: Region | None = None,
    window: int | Sequence[int] | None = None,
    stride: int | Sequence[int] | None = None,
    voxel_size: float | Sequence[float] | None = None,
    unit: str | None = None,
    spatial_dims: int | None = None,
    periodic: bool | None = None,
    name: str | None = None,
    raw: RawLayout | None = None,
    segmentation: Segmentation | None = None,
    mask: str | Path | None = None,
    min_valid: float | None = None,
    figure: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
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
    axes : str, optional
        What each axis of the sources is, such as ``"zyx"`` or ``"syx"``; overrules their own words.
    phase_values : sequence of float or ``"auto"``, optional
        The i-th value becomes phase i. ``"auto"`` takes the distinct values of all sources, in ascending order.
    phase_values_of : path, optional
        Store or model whose values become the same phases here, instead of `phase_values`.
    phase_names : sequence of str, optional
        Names of phase 0, 1, ..., by which `evaluate_model` and `write_report` call them.
    region : sequence of (start, stop), optional
        Part of each source in voxels, one range per spatial axis, or one that counts for every axis.
    window : int or sequence of int, optional
        Size of the windows to cut, in voxels along each axis; one number counts for every axis.
    stride : int or sequence of int, optional
        Voxels from one window to the next; by default the size of the windows.
    voxel_size, unit
        Edge lengths of a voxel and their unit; they override the sources.
    spatial_dims : int, optional
        Number of spatial axes, by default that of `window` or `region` if they have one entry per axis.
    periodic : bool, optional
        Whether structures are periodic; by default as the sources state.
    name : str, optional
        Name of the array in sources that hold several.
    raw : RawLayout, optional
        Shape, type and byte order of the voxels, if the sources are raw binary files.
    segmentation : Segmentation, optional
        How grey values become phases, instead of `phase_values`. It sees only the region, and is the same for all
        windows.
    mask : path, "nan" or "missing", optional
        Which voxels belong to the sample, as in `open_structures`.
    min_valid : float, optional
        Smallest fraction of voxels inside the mask for a window to be kept, as in `windows`.
    figure : path, optional
        Picture (.png, .pdf or .svg) of the first structure before and after segmentation, with the histogram.
    workers, scheduler : optional
        Number of local processes, or address of a dask scheduler, that read and segment; see
        `matvae.jobs.cluster.crew_of`. This process looks for thresholds and writes.
    overwrite : bool
        Whether an existing store or figure may be replaced.
    progress : callable, optional
        Called with the number of parts that are written and their total.

    Returns
    -------
    dict
        ``out``, ``n_samples``, ``grid``, ``axes`` (what the axes of the sources were taken for, one text per kind),
        ``notes`` on their values, ``sources``, ``phase_values``, ``inside_mask`` (fraction of the voxels inside the
        mask, None without one), ``figure``, ``bytes``; after segmentation also ``segmentation`` (as the store records
        it, with its ``thresholds``, those of the first structure if there is one per image), ``volume_fractions``, and
        ``n_constant``, the number of structures that consist of a single phase.

    Raises
    ------
    InputError, StoreError
        If a source cannot be read, sources are inconsistent, or an output cannot be written.
    MissingExtraError
        If a library is missing; the message names the extra.
    """
    paths = [sources] if isinstance(sources, str | Path) else list(sources)
    if not paths:
        raise InputError("At least one source is needed, but none was given.")
    target = check_output(out, paths, overwrite=overwrite)
    if stride is not None and window is None:
        raise InputError(
            "stride is the distance between windows, but no window was given. Add one, such as --window 64,64."
        )
    options: dict[str, Any] = {
        "axes": axes,
        "spatial_dims": _spatial_dims(spatial_dims, window, region),
        "name": name,
        "periodic": periodic,
        "voxel_size": voxel_size,
        "unit": unit,
        "raw": raw,
        "mask": mask,
    }
    if phase_values_of is not None:
        if phase_values is not None:
            raise InputError(
                "Both phase_values and phase_values_of were given (--phase-values and --phase-values-of). Give one."
            )
        phase_values = recorded_phase_values(phase_values_of)
    if figure is not None and segmentation is None:
        raise InputError(
            "The figure shows how phases are made from grey values, but no segmentation was given. Add one, such as "
            "--threshold otsu, or leave the figure out (--figure)."
        )
    picture = check_figure(figure, paths, overwrite=overwrite)
    files = [*paths, *([] if mask is None or comes_from_values(mask) else [mask])]
    with ExitStack() as stack:
        if segmentation is None:
            grey, segmented = None, None
            parts = _open(paths, phase_values, options)
            crew = stack.enter_context(crew_of(workers, scheduler, files))
        else:
            grey = open_grey(paths, phase_values=phase_values, **options)
            if region is not None:
                grey, region = [_crop(part, region) for part in grey], None
            elif mask is None:
                _warn_of_data_bars(grey, paths)
            crew = stack.enter_context(crew_of(workers, scheduler, files))
            segmented = stack.enter_context(segmented_beside(target, grey, segmentation, crew))
            parts = segmented.parts
        taken = list(dict.fromkeys(part.attributes["axes"] for part in parts if "axes" in part.attributes))
        channels = list(dict.fromkeys(part.attributes["channels"] for part in parts if "channels" in part.attributes))
        notes = list(dict.fromkeys(note for part in parts for note in part.attributes.get("notes", ())))
        if window is not None:
            parts = [windows(part, window, stride=stride, region=region, min_valid=min_valid) for part in parts]
        else:
            parts = [_crop(part, region) for part in parts] if region is not None else parts
            parts = [keep_valid(part, min_valid) for part in parts]
        structures = _named(_concatenate(parts, paths), phase_names)
        save_structures(target, structures, overwrite=overwrite, progress=progress, crew=crew)
        if grey is not None and segmented is not None and picture is not None:
            save_figure(preview(grey[0], segmented), picture)
    written = open_structures(target)
    described: dict[str, Any] = {} if segmented is None else describe_segmentation(written, segmented)
    if segmented is not None:
        _warn_of_constant(described["n_constant"], len(written))
    return {
        "out": str(target),
        "n_samples": len(structures),
        "grid": structures.grid.to_dict(),
        "axes": taken,
        "channels": channels,
        "notes": notes,
        "sources": [{"name": str(path), "n_samples": len(part)} for path, part in zip(paths, parts, strict=True)],
        "phase_values": structures.attributes.get("phase_values"),
        "inside_mask": None if written.mask is None else float(valid_fractions(written).mean()),
        **described,
        "figure": None if picture is None else str(picture),
        "bytes": size_on_disk(target),
    }


def recorded_phase_values(path: str | Path) -> list[float | str]:
    """Return the values in images that became phases 0, 1, ... of a store or of the training set of a model.

    Parameters
    ----------
    path : path
        A store, or a saved model.

    Raises
    ------
    InputError
        If it is neither, or records no values because its images held labels.
    """
    folder = Path(path)
    if is_model(folder):
        from ..estimator import load

        values: Any = load(folder).phase_values_
    elif is_store(folder):
        values = open_structures(folder).attributes.get("phase_values")
    else:
        raise InputError(
            f"{path} should be a store or a model, which record what value is which phase, but is neither."
        )
    if not values:
        raise InputError(
            f"{path} records no phase values: what it was made from held labels. Import without phase_values_of "
            "(--phase-values-of) if these sources hold the same labels."
        )
    return list(values)


def _named(structures: Structures, names: Sequence[str] | None) -> Structures:
    """Record the names of the phases, once they are known to fit."""
    if names is None:
        return structures
    # Slow to import, and rarely needed.
    from ..evaluate.phase_errors import NAMES, phase_names

    named = replace(structures, attributes={**structures.attributes, NAMES: list(names)})
    phase_names(named)
    return named


def _spatial_dims(spatial_dims: int | None, window: int | Sequence[int] | None, region: Region | None) -> int | None:
    """Return the number of spatial axes that the options imply; one number or range counts for every axis."""
    ranges = None if region is None or isinstance(region, slice) or len(region) == 1 else region
    for name, value in {"window": window, "region": ranges}.items():
        # Text is refused where it is used.
        if not isinstance(value, Sequence) or isinstance(value, str):
            continue
        if spatial_dims not in (None, len(value)):
            raise InputError(
                f"{name} is given for {len(value)} axes, but there are {spatial_dims} spatial axes. Give one entry per "
                "spatial axis, or one for all."
            )
        spatial_dims = len(value)
    return spatial_dims


def _open(paths: Sequence[str | Path], phase_values: PhaseValues, options: dict[str, Any]) -> list[Structures]:
    parts = open_all(paths, phase_values=phase_values, **options)
    if isinstance(phase_values, str):
        # A phase is the same value in all sources.
        values = parts[0].attributes["phase_values"]
        logger.info("Phases: %s.", ", ".join(f"{value} becomes {phase}" for phase, value in enumerate(values)))
    return parts


def _crop(structures: Structures, region: Region) -> Structures:
    """Cut a single window with the size of the region."""
    size = tuple(stop - start for start, stop in bounds(region, structures.grid.shape))
    return windows(structures, size, region=region)


def _warn_of_data_bars(grey: Sequence[Structures], paths: Sequence[str | Path]) -> None:
    for part, path in zip(grey, paths, strict=True):
        rows = rows_without_data_bar(part.data) if part.grid.ndim == 2 else None
        if rows is not None:
            first, last = rows
            where = f"above row {first}" if first else f"from row {last} on"
            warn(
                f"{path} seems to have a data bar {where}, which misleads thresholds and ends up in windows. If so, "
                f"leave the bar out with region=[({first}, {last}), None] (command line: --region {first}:{last},:)."
            )


def _warn_of_constant(n_constant: int, n: int) -> None:
    """Warn if most structures consist of a single phase after segmentation."""
    if n_constant > n / 2:
        warn(
            f"{n_constant} of {n} structures consist of a single phase. Either they are smaller than the features of "
            "the material, or the thresholds are wrong, often because of a data bar or another part of the image that "
            "is not material. Look at the segmentation with figure='preview.png' (command line: --figure preview.png), "
            "and leave such parts out with region=(...) (command line: --region A:B,A:B), or cut larger windows."
        )


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
