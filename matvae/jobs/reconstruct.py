"""Reconstruct structures from stored 2-point statistics, streamed."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..crew import Crew
from ..data import StoreWriter, Structures, open_structures
from ..data.sample_blocks import Progress, block_bounds, samples_per_block
from ..data.subsets import select, spread_indices
from ..errors import InputError
from ..estimator.textures import EXAMPLES, RETRIEVAL, working_bytes
from ..grid import Grid
from ..memory import check_memory
from ..reconstruction import reconstruct
from ..reconstruction.from_examples import read_examples
from ..reconstruction.realise import Settings
from ..reconstruction.target import read_target
from ..stats.correlations import Pairs
from ..stats.device import resolve_device
from .cluster import crew_of
from .files.kept import ATTRIBUTE, Request, digest, digest_of_structures, is_complete, kept_results
from .files.outputs import check_output
from .files.stored_statistics import StoredStatistics, open_statistics

logger = logging.getLogger("matvae")
# Structures per block: enough for several threads, and few enough to share a job among many workers.
BLOCK_STRUCTURES = 64
# Voxels of examples that are held in memory.
EXAMPLE_VOXELS = 1 << 24
# Label of voxels that `reconstruct(fixed=...)` leaves free.
FREE = 255
ERROR, REALIZABLE, INDEX, REALIZATION = "reconstruction_error", "realizable", "statistics_index", "realization"


def reconstruct_statistics(
    statistics: str | Path,
    out: str | Path,
    *,
    n_realizations: int | None = None,
    size: int | Sequence[int] | None = None,
    periodic: bool | None = None,
    phases: int | None = None,
    correlations: Sequence[Sequence[int]] | None = None,
    method: str = "auto",
    examples: str | Path | None = None,
    patch: Any = "auto",
    tol: float = 1e-3,
    max_iter: int = 200,
    seed: int = 0,
    device: str = "auto",
    workers: int | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Reconstruct structures with given 2-point statistics.

    Parameters
    ----------
    statistics : path
        Store written by `compute_statistics`, or a .npy array ``(sample, *lag, correlation)``, which needs `size`,
        `periodic` and `phases`.
    out : path
        New store ``(sample, *space)`` with the properties of the statistics, ``reconstruction_error`` and
        ``realizable`` (0 if no structure can have the statistics), and the mask of the statistics, if they have one:
        voxels outside it are not reconstructed. With `n_realizations` the structures of one sample
        are consecutive, and ``statistics_index`` and ``realization`` identify them.
    n_realizations : int, optional
        Structures per sample; by default one.
    size : int or sequence of int, optional
        Voxels along the axes; by default those of the structures from which the statistics were computed. Lags that
        are not given are free.
    periodic : bool, optional
        By default as for the statistics.
    phases, correlations : optional
        Of a .npy array: the number of phases, and the pairs if they are not the default ones.
    method, patch, tol, max_iter, device
        As in `matvae.reconstruct`.
    examples : path, optional
        Structures of the material, such as training windows, from whose patches the new ones are composed. At most 16
        million voxels of them are used, spread evenly.
    seed : int
        Of the random starts; the same seed gives the same structures.
    workers, scheduler : optional
        Number of local processes, or address of a dask scheduler, that do the work; see `matvae.jobs.cluster.crew_of`.
    overwrite : bool
        Whether an existing store may be replaced.
    resume : bool
        Keep what is reconstructed in a folder beside `out` until that is complete, and take over what an interrupted
        run of the same statistics and options has kept there.
    progress : callable, optional
        Called with the number of structures done and their total.

    Returns
    -------
    dict
        ``out``, ``n_samples``, ``grid``, ``error`` (mean, median and max of the relative error of the statistics),
        ``n_unrealizable`` (statistics that no structure has) and ``seconds_per_structure`` (of those that were not
        taken over; None if all were).

    Raises
    ------
    InputError, StoreError, MissingExtraError
        If the statistics are bad or damaged, the output cannot be written, the cluster does not answer, or what an
        interrupted run has kept belongs to other statistics or options.
    JobInterrupted
        On Ctrl-C, if something is kept.

    Notes
    -----
    Without `resume`, nothing is left behind after an error or an interrupt.
    """
    target = check_output(out, [statistics, *([] if examples is None else [examples])], overwrite=overwrite or resume)
    Settings(n_realizations, method=method, tol=tol, max_iter=max_iter)
    if scheduler is None:
        resolve_device(device)
    stored = open_statistics(statistics, size=size, periodic=periodic, phases=phases, correlations=correlations)
    n_each = n_realizations or 1
    step = min(BLOCK_STRUCTURES, samples_per_block(4 * (math.prod(stored.shape) + stored.grid.n_voxels)))
    options = {
        "grid": stored.grid,
        "correlations": stored.correlations,
        "method": method,
        "tol": tol,
        "max_iter": max_iter,
        "random_state": seed,
        "device": device,
    }
    settings = {
        "job": "reconstruct",
        **stored.grid.to_dict(),
        "n_realizations": n_realizations,
        "correlations": stored.correlations,
        "method": method,
        "patch": patch,
        "tol": tol,
        "max_iter": max_iter,
        "seed": seed,
        "device": device,
    }
    inputs: dict[str, str] = {}
    if examples is not None:
        windows = _examples(examples)
        options |= {"examples": windows, "patch": patch}
        read_examples(windows, patch, stored.grid, torch.device("cpu"))
        inputs["examples"] = digest_of_structures(windows)
    if scheduler is None and method != "swaps":
        _check_memory(stored.grid, RETRIEVAL if examples is None else EXAMPLES, device)
    total, started = len(stored) * n_each, time.monotonic()
    with ExitStack() as stack:
        crew = stack.enter_context(crew_of(workers, scheduler, [statistics]))
        realizable, inputs["statistics"] = _survey(stored, step, crew)
        request = Request(settings, inputs)
        if is_complete(target, request, resume=resume, overwrite=overwrite):
            errors = open_structures(target).properties[ERROR]
            return _result(target, stored.grid, errors, realizable, None)
        kept = stack.enter_context(kept_results(target, request, resume=resume, overwrite=overwrite))
        properties = _properties(stored, realizable, n_realizations)
        writer = stack.enter_context(
            StoreWriter(
                target,
                stored.grid,
                n_samples=total,
                property_names=[*properties, ERROR],
                units=stored.units,
                attributes={"statistics": Path(statistics).name, ATTRIBUTE: request.fingerprint},
                masked=stored.mask is not None,
                overwrite=overwrite,
            )
        )
        errors = np.empty(total)
        bounds = list(block_bounds(total, step))
        blocks = kept.in_order(crew, _reconstructed, bounds, (stored, n_each, options))
        for (start, stop), (structures, mask, error) in zip(bounds, blocks, strict=True):
            columns = {name: values[start:stop] for name, values in properties.items()}
            writer.append(structures, {**columns, ERROR: error}, mask)
            errors[start:stop] = error
            if progress is not None:
                progress(stop, total)
    n_taken = sum(stop - start for number, (start, stop) in enumerate(bounds) if str(number) in kept.taken)
    seconds = None if n_taken == total else (time.monotonic() - started) / (total - n_taken)
    return _result(target, stored.grid, errors, realizable, seconds)


def _result(
    target: Path, grid: Grid, errors: np.ndarray, realizable: np.ndarray, seconds: float | None
) -> dict[str, Any]:
    return {
        "out": str(target),
        "n_samples": len(errors),
        "grid": grid.to_dict(),
        "error": {
            "mean": float(errors.mean()),
            "median": float(np.median(errors)),
            "max": float(errors.max()),
        },
        "n_unrealizable": int((~realizable).sum()),
        "seconds_per_structure": seconds,
    }


def _check_memory(grid: Grid, way: str, device: str) -> None:
    """Refuse structures of which not even one fits into memory."""
    check_memory(
        working_bytes(grid.shape, grid.phases, grid.periodic, way),
        device=str(resolve_device(device)),
        what=f"Reconstructing one structure of {' x '.join(map(str, grid.shape))} voxels",
        remedy="Reconstruct smaller structures (--size, or statistics of smaller windows).",
    )


def _examples(path: str | Path) -> Structures:
    """Open examples, and read as many as are used."""
    structures = open_structures(path)
    chosen = spread_indices(len(structures), max(1, EXAMPLE_VOXELS // structures.grid.n_voxels))
    if len(chosen) < len(structures):
        logger.info("Patches are taken from %d of the %d structures in %s.", len(chosen), len(structures), path)
    examples = select(structures, chosen)
    return Structures(examples.data.compute(), examples.grid, mask=examples.mask)


def _survey(stored: StoredStatistics, step: int, crew: Crew) -> tuple[np.ndarray, str]:
    """Determine whether each sample is realisable, and hash all; bad statistics are refused before any work is done."""
    parts, digests = zip(*crew.in_order(_realizable, block_bounds(len(stored), step), stored), strict=True)
    realizable = np.concatenate(parts)
    if not realizable.all():
        logger.warning(
            "%d of %d statistics contradict themselves, so no structure has them: structures are as close as possible.",
            (~realizable).sum(),
            len(realizable),
        )
    if tuple(stored.array.shape[1:-1]) != stored.shape[:-1]:
        reach = ", ".join(str(n // 2) for n in stored.shape[:-1])
        logger.info("Lags up to %s voxels along the axes are prescribed, all others are free.", reach)
    return realizable, digest(np.array(digests), *stored.properties.values())


def _properties(stored: StoredStatistics, realizable: np.ndarray, n_realizations: int | None) -> dict[str, np.ndarray]:
    """Properties of all structures except their error."""
    own = {ERROR, REALIZABLE, INDEX, REALIZATION}
    if replaced := sorted(own & set(stored.properties)):
        logger.info("The properties %s of the statistics are replaced by those of the new structures.", replaced)
    n_each = n_realizations or 1
    properties = {name: values for name, values in stored.properties.items() if name not in own}
    properties[REALIZABLE] = realizable.astype(np.float64)
    if n_realizations is not None:
        properties[INDEX] = np.arange(len(stored), dtype=np.float64)
    properties = {name: np.repeat(values, n_each) for name, values in properties.items()}
    if n_realizations is not None:
        properties[REALIZATION] = np.tile(np.arange(n_each, dtype=np.float64), len(stored))
    return properties


def _realizable(stored: StoredStatistics, start: int, stop: int) -> tuple[np.ndarray, str]:
    """Whether each sample ``(sample,)`` of a block is realisable, and a hash of the block."""
    block = stored.read(start, stop)
    bad = np.flatnonzero(~np.isfinite(block).reshape(len(block), -1).all(axis=1))
    if len(bad):
        raise InputError(
            f"The statistics in {stored.path} contain NaN or infinity, first in sample {start + bad[0]}; every lag "
            "needs a finite value. Remove such samples."
        )
    cpu, complete = torch.device("cpu"), stored.mask is None
    realizable = read_target(block, stored.grid, stored.correlations, cpu, complete=complete)[1].numpy()
    mask = stored.read_mask(start, stop)
    return realizable, digest(block, *([] if mask is None else [mask]))


def _reconstructed(
    given: tuple[StoredStatistics, int, dict[str, Any]], start: int, stop: int
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Structures of some of the numbers that all have, `n_each` per sample, with their masks and errors."""
    stored, n_each, options = given
    samples = np.arange(start, stop) // n_each
    numbers = samples - samples[0]
    block, mask = stored.read(samples[0], samples[-1] + 1)[numbers], stored.read_mask(samples[0], samples[-1] + 1)
    options = {**options, "first_sample": start}
    if mask is None:
        reconstruction = reconstruct(block, **options)
        return reconstruction.structures, None, reconstruction.error.astype(np.float64)
    mask = mask[numbers]
    fixed = _fixed_outside(block, mask, options["grid"], options["correlations"])
    reconstruction = reconstruct(block, mask=mask, fixed=fixed, **options)
    structures = reconstruction.structures
    return np.where(mask, structures, structures.dtype.type(0)), mask, reconstruction.error.astype(np.float64)


def _fixed_outside(block: np.ndarray, mask: np.ndarray, grid: Grid, correlations: Pairs) -> np.ndarray:
    """Prescribe voxels outside the mask such that they have the volume fractions that are wanted inside.

    Volume fractions are exact on the grid as a whole: only then are they exact inside, too.
    """
    counts = read_target(block, grid, correlations, torch.device("cpu"), complete=False)[0].counts.numpy()
    fixed = np.full(mask.shape, FREE, dtype=np.uint8)
    for labels, inside, numbers in zip(fixed, mask, counts, strict=True):
        # Rounded sums, so that each phase has its share of the voxels outside to within one.
        ends = np.round(np.cumsum(numbers) / grid.n_voxels * np.count_nonzero(~inside)).astype(int)
        labels[~inside] = np.searchsorted(ends, np.arange(np.count_nonzero(~inside)), side="right")
    return fixed
