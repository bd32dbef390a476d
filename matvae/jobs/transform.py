"""Encode the structures of a store, streamed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Structures
from ..data.sample_blocks import Progress, aligned, block_bounds, read_block
from ..estimator import load
from .cluster import crew_of
from .files.latents import latent_format, new_latents
from .files.outputs import check_output
from .models import open_fitting

# Voxels per block, of which each takes some 64 bytes: phases, padded, and their transforms.
BLOCK_VOXELS = 1 << 21


def transform_structures(
    model: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Encode every structure of a store.

    Parameters
    ----------
    model : path
        Fitted model, as `fit_model` saved it.
    data : path
        Structures, in any format that `open_structures` reads.
    out : path
        Latents ``(sample, component)`` float32: a zarr group (.zarr), a .npy or a .csv, by the suffix.
    workers, scheduler : optional
        Number of local processes, or address of a dask scheduler, that do the work; see `matvae.jobs.cluster.crew_of`.
    overwrite : bool
        Whether an existing result may be replaced.
    progress : callable, optional
        Called with the number of samples done and their total.

    Returns
    -------
    dict
        ``out``, ``shape``, ``components`` (their names) and ``n_missing``, the number of structures whose latents are
        NaN, since too much of them lies outside a mask.

    Raises
    ------
    InputError, StoreError
        If the structures do not fit the model, or the output cannot be written; nothing is left behind then.
    """
    latent_format(out)
    target = check_output(out, [model, data], overwrite=overwrite)
    estimator = load(model)
    structures = open_fitting(data, estimator, model, masked=True)
    names = [str(name) for name in estimator.get_feature_names_out()]
    attributes = {"model": Path(model).name, "grid": structures.grid.to_dict()}
    size = aligned(max(1, BLOCK_VOXELS // math.prod(structures.grid.shape)), structures.data.chunks[0])
    done = n_missing = 0
    with (
        crew_of(workers, scheduler, [data]) as crew,
        new_latents(
            target,
            len(structures),
            names,
            attributes=attributes,
            properties=structures.properties,
            units=structures.units,
        ) as write,
    ):
        given = (structures, estimator)
        for latents in crew.in_order(_latents_of, block_bounds(len(structures), size), given, read=_read):
            write(latents)
            done += len(latents)
            n_missing += int(np.isnan(latents).any(axis=1).sum())
            if progress is not None:
                progress(done, len(structures))
    return {"out": str(target), "shape": [len(structures), len(names)], "components": names, "n_missing": n_missing}


def _read(given: tuple[Structures, Any], start: int, stop: int) -> Any:
    return read_block(given[0], start, stop)


def _latents_of(given: tuple[Structures, Any], block: Any, *_: int) -> np.ndarray:
    """Latents ``(sample, component)`` of a block of samples."""
    return np.asarray(given[1].transform(block))
