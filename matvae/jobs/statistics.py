"""Statistics of a set of structures, streamed into a zarr group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import zarr

from ..crew import Crew
from ..data import open_structures
from ..data.sample_blocks import Progress, aligned, block_bounds, read_span, samples_per_block
from ..errors import InputError
from ..grid import Grid
from ..memory import check_memory
from ..stats import Statistic, get_statistic, resolve_correlations, two_point_stats_by_blocks
from ..stats.correlate import transform_shape
from .cluster import crew_of
from .files.arrays import new_array
from .files.kept import Request, digest_of_structures, kept_results
from .files.outputs import check_output

# Voxels of a structure from which 2-point statistics up to a cutoff are computed by blocks.
LARGE = 1 << 25
# Follow from the structures, or have a parameter of their own.
NOT_OPTIONS = ("spatial_dims", "state_axis", "phases", "mask", "periodic", "correlations", "cutoff")


def compute_statistics(
    data: str | Path,
    out: str | Path,
    *,
    statistic: str = "two_point",
    correlations: Sequence[Sequence[int]] | None = None,
    periodic: bool | None = None,
    cutoff: int | Sequence[int] | None = None,
    options: Mapping[str, Any] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compute a statistic of every structure of a store.

    Parameters
    ----------
    data : path
        Structures in any format that `open_structures` reads.
    out : path
        New zarr group: array ``statistics`` ``(sample, *coordinate, phase or correlation)`` float32, its coordinates
        (such as ``lag_y`` in voxels), and the properties of the structures. If these have a mask, only voxel pairs
        inside it count, and the group holds it as the array ``mask``.
    statistic : str
        Name of the statistic: ``"two_point"``, or another in `matvae.stats.STATISTICS`.
    correlations : list of (int, int), optional
        Pairs of phases; by default those that determine all others.
    periodic : bool, optional
        Whether structures are periodic; by default as stated in the store.
    cutoff : int or sequence of int, optional
        Keep the lags from -c to c along each axis (or lengths up to c), in voxels.
    options : mapping, optional
        Further options of the statistic by name. The voxel size is that of the store unless it is given here.
    workers, scheduler : optional
        Number of local processes, or address of a dask scheduler, that do the work; see `matvae.jobs.cluster.crew_of`.
    overwrite : bool
        Whether an existing result may be replaced.
    resume : bool
        Compute only what is missing: in an existing result, from which `verify` has removed damaged files, or in what
        an interrupted run with `resume` has kept beside `out`.
    progress : callable, optional
        Called with the number of samples done and their total; for large structures, with those of blocks.

    Returns
    -------
    dict
        ``out``, ``shape``, ``dimensions``, ``statistic``, ``correlations``, ``periodic``, ``cutoff``, ``options``.

    Raises
    ------
    InputError, StoreError, PluginError
        For invalid data or parameters, an output that cannot be written, or an unknown statistic. Nothing is written
        then.

    Notes
    -----
    2-point statistics up to a cutoff of structures of more than 33 million voxels are computed by blocks, as by
    `matvae.stats.two_point_stats_by_blocks`, in about a gigabyte of memory per process.
    """
    target = check_output(out, [data], overwrite=overwrite or resume)
    function = get_statistic(statistic)
    structures = open_structures(data)
    grid = structures.grid
    arguments = _arguments(function, grid, correlations, periodic, cutoff, options or {})
    if structures.mask is not None and "mask" not in function.options:
        raise InputError(
            f"{data} holds structures with a mask, which the statistic {function.name!r} does not take. Cut windows "
            "that lie inside the mask entirely (matvae import STORE WINDOWS.zarr --window N --min-valid 1), or compute "
            "a statistic that does, such as two_point or lineal_path."
        )
    by_blocks = _is_large(function, grid, arguments, masked=structures.mask is not None)
    coordinates = function.coordinates(grid.shape, grid.axes or (), **arguments)
    has_pairs = function.column == "correlation"
    n_columns = len(arguments["correlations"]) if has_pairs else grid.phases
    dimensions = ("sample", *coordinates, function.column)
    shape = (len(structures), *(len(values) for values in coordinates.values()), n_columns)
    metadata = {
        "statistic": function.name,
        "correlations": [list(pair) for pair in arguments["correlations"]] if has_pairs else None,
        "periodic": arguments["periodic"],
        "cutoff": list(cutoff) if isinstance(cutoff, Sequence) else cutoff,
        "options": {name: value for name, value in arguments.items() if name not in NOT_OPTIONS},
        "grid": grid.to_dict(),
    }
    unit = grid.unit if arguments.get("voxel_size") is not None else "voxel"
    # The statistics may be much smaller than the structures, as a surface area is. Spectra have blocks of their own.
    bytes_per_sample = 4 * math.prod(shape[1:]) + structures.data.dtype.itemsize * grid.n_voxels
    size = aligned(samples_per_block(bytes_per_sample), structures.data.chunks[0])
    request = Request({"job": "stats", **metadata}, {"structures": digest_of_structures(structures)} if resume else {})
    with (
        crew_of(workers, scheduler, [data]) as crew,
        kept_results(target, request, resume=resume, overwrite=overwrite) as kept,
        new_array(
            target, "statistics", shape, dimensions, metadata, block=size, resume=resume, kept=kept.folder
        ) as writer,
    ):
        if function.length_power and unit:
            writer.array.attrs["unit"] = f"{unit}^{function.length_power}"
        inside = None if structures.mask is None else writer.create_mask(grid)
        if by_blocks:
            for sample in range(len(structures)):
                if writer.needed(sample, sample + 1):
                    writer.write(sample, _by_blocks(structures.data[sample], grid, arguments, crew, progress)[None])
        else:
            bounds = [each for each in block_bounds(len(structures), size) if writer.needed(*each)]
            shared = writer.array if writer.has_whole_chunks(size) and crew.writes_in(writer.path) else None
            work = _Work(function, arguments, structures.data, structures.mask, grid, shared)
            blocks = crew.in_order(_statistics_of, bounds, work, read=_read)
            for (start, stop), (block, mask) in zip(bounds, blocks, strict=True):
                if block is None:
                    writer.note(stop)
                else:
                    writer.write(start, block)
                if inside is not None:
                    inside[start : writer.written] = mask
                if progress is not None:
                    progress(writer.written, len(structures))
        for name, values in coordinates.items():
            writer.add(name, values, name, unit=unit)
        if not has_pairs:
            writer.add("phase", np.arange(n_columns), "phase")
        for name, values in structures.properties.items():
            writer.add(name, values, "sample", unit=structures.units.get(name))
    return {"out": str(target), "shape": list(shape), "dimensions": list(dimensions), **metadata}


@dataclass(frozen=True)
class _Work:
    """What all blocks of samples share, and the array that statistics are written to; by this process if None."""

    statistic: Statistic
    arguments: Mapping[str, Any]
    data: da.Array
    mask: da.Array | None
    grid: Grid
    shared: zarr.Array | None


def _read(work: _Work, start: int, stop: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Samples and their mask."""
    mask = None if work.mask is None else read_span(work.mask, start, stop)
    return read_span(work.data, start, stop), mask


def _statistics_of(
    work: _Work, block: tuple[np.ndarray, np.ndarray | None], start: int, stop: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Statistics of a block of samples, None if they are written already, and its mask."""
    (samples, mask), grid = block, work.grid
    masked = {} if mask is None else {"mask": mask}
    statistics = work.statistic(samples, spatial_dims=grid.ndim, phases=grid.phases, **masked, **work.arguments)
    if work.shared is None:
        return statistics, mask
    work.shared[start:stop] = statistics
    return None, mask


def _is_large(statistic: Statistic, grid: Grid, arguments: Mapping[str, Any], *, masked: bool) -> bool:
    """Return whether structures are so large that their 2-point statistics are computed by blocks.

    Raises
    ------
    InputError
        If the statistics of a structure that is not computed by blocks do not fit into memory.
    """
    if statistic.name != "two_point":
        return False
    all_lags = arguments.get("cutoff") is None
    if grid.n_voxels > LARGE and not all_lags and not masked:
        return True
    n_states = len({state for pair in arguments["correlations"] for state in pair})
    n_transformed = math.prod(transform_shape(grid.shape, arguments["periodic"], arguments.get("cutoff")))
    n_arrays = 2 * n_states + len(arguments["correlations"]) + 2
    check_memory(
        4 * n_arrays * n_transformed,
        device="cpu",
        what=f"2-point statistics of {' x '.join(map(str, grid.shape))} voxels"
        + (" with a mask" if masked else " at all lags" if all_lags else ""),
        remedy=_less_memory(grid, masked=masked, all_lags=all_lags),
    )
    return False


def _less_memory(grid: Grid, *, masked: bool, all_lags: bool) -> str:
    if masked:
        return "Cut windows (matvae import --window N --min-valid 0.5)."
    if not all_lags:
        return "Cut windows (matvae import --window N), or pass a smaller cutoff (--cutoff)."
    by_blocks = ": they are then computed by blocks, in about a gigabyte" if grid.n_voxels > LARGE else ""
    return f"Pass a cutoff (--cutoff 32){by_blocks}."


def _by_blocks(
    structure: Any, grid: Grid, arguments: Mapping[str, Any], crew: Crew, progress: Progress | None
) -> np.ndarray:
    f = two_point_stats_by_blocks(
        structure, phases=None if grid.phases == 1 else grid.phases, **arguments, progress=progress, crew=crew
    )
    return f.astype(np.float32)


def _arguments(
    statistic: Statistic,
    grid: Grid,
    correlations: Sequence[Sequence[int]] | None,
    periodic: bool | None,
    cutoff: int | Sequence[int] | None,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Arguments of the statistic other than the structures and their number of phases."""
    for name in options:
        if name in NOT_OPTIONS:
            raise InputError(
                f"{name!r} was given as an option of the statistic {statistic.name!r}, but it follows from the "
                "structures or has a parameter of its own: periodic, correlations or cutoff."
            )
    arguments: dict[str, Any] = dict(options)
    if correlations is not None:
        arguments["correlations"] = correlations
    if cutoff is not None:
        arguments["cutoff"] = cutoff
    statistic.check_options(list(arguments))
    if statistic.column == "correlation":
        arguments["correlations"] = resolve_correlations(correlations, grid.phases)
    if statistic.uses_voxel_size and grid.voxel_size is not None:
        arguments.setdefault("voxel_size", grid.voxel_size)
    return {**arguments, "periodic": grid.periodic if periodic is None else periodic}
