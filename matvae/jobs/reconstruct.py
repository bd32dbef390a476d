"""2-point statistics to structures, streamed."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..data import StoreWriter
from ..data.sample_blocks import Progress, samples_per_block
from ..errors import InputError
from ..reconstruction import reconstruct
from ..reconstruction.realise import Settings
from ..reconstruction.target import understand
from ..stats.device import resolve_device
from .cluster import in_order
from .files.outputs import check_output
from .files.stored_statistics import StoredStatistics, open_statistics

logger = logging.getLogger("matvae")
# Structures at once: enough for every core, and progress is seen every few seconds.
BLOCK_STRUCTURES = 256
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
    tol: float = 1e-3,
    max_iter: int = 200,
    seed: int = 0,
    device: str = "auto",
    cluster: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make structures that have given 2-point statistics.

    Parameters
    ----------
    statistics : path
        What `compute_statistics` wrote, or a .npy array ``(sample, *lag, correlation)``, which needs `size`,
        `periodic` and `phases`.
    out : path
        New store ``(sample, *space)`` with the properties of the statistics, ``reconstruction_error`` and
        ``realizable`` (0 where nothing can have the statistics). With `n_realizations` the structures of one sample
        follow one another, and ``statistics_index`` and ``realization`` tell them apart.
    n_realizations : int, optional
        Structures a sample; by default one.
    size : int or sequence of int, optional
        Voxels along the axes; by default those of the structures that the statistics come from. Lags that are not
        given are free.
    periodic : bool, optional
        By default as the statistics were made.
    phases, correlations : optional
        Of a .npy array: the number of phases, and the pairs if they are not the default ones.
    method, tol, max_iter, device
        As in `matvae.reconstruct`.
    seed : int
        Of the random starts; one seed gives the same structures again.
    cluster : str, optional
        Address of a dask scheduler, of which the workers do the work.
    overwrite : bool
        Whether an existing store may be replaced.
    progress : callable, optional
        Called with the number of structures done and their total.

    Returns
    -------
    dict
        ``out``, ``n_samples``, ``grid``, ``error`` (mean, median and max of the relative error of the statistics),
        ``n_unrealizable`` (statistics that no structure has) and ``seconds_per_structure``.

    Raises
    ------
    InputError, StoreError, MissingExtraError
        If the statistics are bad or damaged, the output cannot be written, or the cluster does not answer; nothing is
        left then.
    """
    target = check_output(out, [statistics], overwrite=overwrite)
    Settings(n_realizations, method=method, tol=tol, max_iter=max_iter)
    if cluster is None:
        resolve_device(device)
    stored = open_statistics(statistics, size=size, periodic=periodic, phases=phases, correlations=correlations)
    each = n_realizations or 1
    step = min(BLOCK_STRUCTURES, samples_per_block(4 * (math.prod(stored.shape) + stored.grid.n_voxels)))
    realizable = _survey(stored, step)
    properties = _properties(stored, realizable, n_realizations)
    options = {
        "grid": stored.grid,
        "correlations": stored.correlations,
        "method": method,
        "tol": tol,
        "max_iter": max_iter,
        "random_state": seed,
        "device": device,
    }
    total, errors, started = len(stored) * each, [], time.monotonic()
    with StoreWriter(
        target,
        stored.grid,
        n_samples=total,
        property_names=[*properties, ERROR],
        units=stored.units,
        attributes={"statistics": Path(statistics).name},
        overwrite=overwrite,
    ) as writer:
        done = 0
        for structures, error in in_order(_reconstructed, _blocks(stored, each, step, options), cluster):
            part = slice(done, done + len(structures))
            writer.append(structures, {**{name: values[part] for name, values in properties.items()}, ERROR: error})
            errors.append(error)
            done = part.stop
            if progress is not None:
                progress(done, total)
    reached = np.concatenate(errors)
    return {
        "out": str(target),
        "n_samples": total,
        "grid": stored.grid.to_dict(),
        "error": {"mean": float(reached.mean()), "median": float(np.median(reached)), "max": float(reached.max())},
        "n_unrealizable": int((~realizable).sum()),
        "seconds_per_structure": (time.monotonic() - started) / total,
    }


def _survey(stored: StoredStatistics, step: int) -> np.ndarray:
    """Determine whether each sample is realisable; bad statistics are refused before any work is done."""
    found = []
    for start in range(0, len(stored), step):
        block = stored.read(start, min(start + step, len(stored)))
        bad = np.flatnonzero(~np.isfinite(block).reshape(len(block), -1).all(axis=1))
        if len(bad):
            raise InputError(
                f"The statistics in {stored.path} hold NaN or infinity, first in sample {start + bad[0]}; every lag "
                "needs a finite value. Leave out such samples."
            )
        found.append(understand(block, stored.grid, stored.correlations, torch.device("cpu"))[1].numpy())
    realizable = np.concatenate(found)
    if not realizable.all():
        logger.warning(
            "%d of %d statistics contradict themselves, so that no structure has them: structures come as close as "
            "they can.",
            (~realizable).sum(),
            len(realizable),
        )
    if tuple(stored.array.shape[1:-1]) != stored.shape[:-1]:
        reach = ", ".join(str(n // 2) for n in stored.shape[:-1])
        logger.info("Lags up to %s voxels along the axes are given to the structures, all others are free.", reach)
    return realizable


def _properties(stored: StoredStatistics, realizable: np.ndarray, n_realizations: int | None) -> dict[str, np.ndarray]:
    """Properties of all structures but their error."""
    own = {ERROR, REALIZABLE, INDEX, REALIZATION}
    if replaced := sorted(own & set(stored.properties)):
        logger.info("The properties %s of the statistics are replaced by those of the new structures.", replaced)
    each = n_realizations or 1
    found = {name: values for name, values in stored.properties.items() if name not in own}
    found[REALIZABLE] = realizable.astype(np.float64)
    if n_realizations is not None:
        found[INDEX] = np.arange(len(stored), dtype=np.float64)
    found = {name: np.repeat(values, each) for name, values in found.items()}
    if n_realizations is not None:
        found[REALIZATION] = np.tile(np.arange(each, dtype=np.float64), len(stored))
    return found


def _blocks(
    stored: StoredStatistics, each: int, step: int, options: dict[str, Any]
) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Statistics of `step` structures at a time, each sample `each` times."""
    total = len(stored) * each
    for start in range(0, total, step):
        samples = np.arange(start, min(start + step, total)) // each
        block = stored.read(samples[0], samples[-1] + 1)
        yield block[samples - samples[0]], {"first_sample": start, **options}


def _reconstructed(block: np.ndarray, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    found = reconstruct(block, **options)
    return found.structures, found.error.astype(np.float64)
