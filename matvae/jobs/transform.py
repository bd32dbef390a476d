"""Encode the structures of a store, streamed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..crew import Crew
from ..data import Structures
from ..data.sample_blocks import Progress, aligned, block_bounds, read_block
from ..errors import InputError
from ..estimator import load
from ..memory import check_memory
from .cluster import crew_of
from .files.kept import Request, digest_of_model, digest_of_structures, kept_results
from .files.latents import latent_array, latent_format, new_latents
from .files.outputs import check_output
from .models import open_fitting

# Voxels that are read at a time: enough that handing them to another process costs little.
BLOCK_VOXELS = 1 << 23
# Voxels that are encoded at a time, and the memory that each takes: phases, padded, and their transforms.
ENCODED_VOXELS, VOXEL_BYTES = 1 << 21, 64


def transform_structures(
    model: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
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
    resume : bool
        Encode only what is missing: in existing latents (.zarr), from which `verify` has removed damaged files, or in
        what an interrupted run with `resume` has kept beside `out`.
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
    if resume and latent_format(out) != ".zarr":
        raise InputError(
            f"Only latents in a .zarr can be completed, but {out} is a single file. Leave out resume (--resume), or "
            "name a .zarr."
        )
    latent_format(out)
    target = check_output(out, [model, data], overwrite=overwrite or resume)
    estimator = load(model)
    structures = open_fitting(data, estimator, model, masked=True)
    names = [str(name) for name in estimator.get_feature_names_out()]
    attributes = {"model": Path(model).name, "grid": structures.grid.to_dict()}
    rows: dict[str, Any] = {"attributes": attributes, "properties": structures.properties, "units": structures.units}
    check_memory(
        VOXEL_BYTES * max(ENCODED_VOXELS, structures.grid.n_voxels),
        device="cpu",
        what=f"Encoding structures of {' x '.join(map(str, structures.grid.shape))} voxels",
        remedy="Close other programs, or run it where there is more memory.",
    )
    size = aligned(max(1, BLOCK_VOXELS // math.prod(structures.grid.shape)), structures.data.chunks[0])
    bounds = list(block_bounds(len(structures), size))
    n_missing = 0
    settings = {"job": "transform", "shape": [len(structures), len(names)]}
    inputs = {"model": digest_of_model(model), "structures": digest_of_structures(structures)} if resume else {}
    with (
        crew_of(workers, scheduler, [data]) as crew,
        kept_results(target, Request(settings, inputs), resume=resume, overwrite=overwrite) as kept,
    ):
        encoded = partial(_encoded, crew, structures, estimator, progress)
        if resume:
            shape = (len(structures), len(names))
            with latent_array(target, shape, **rows, resume=True, kept=kept.folder) as writer:
                for start, latents in encoded([each for each in bounds if writer.needed(*each)]):
                    writer.write(start, latents)
                writer.flush()
                n_missing = int(np.isnan(np.asarray(writer.array[...])).any(axis=1).sum())
        else:
            with new_latents(target, len(structures), names, **rows) as write:
                for _, latents in encoded(bounds):
                    write(latents)
                    n_missing += int(np.isnan(latents).any(axis=1).sum())
    return {"out": str(target), "shape": [len(structures), len(names)], "components": names, "n_missing": n_missing}


def _encoded(
    crew: Crew, structures: Structures, estimator: Any, progress: Progress | None, bounds: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, np.ndarray]]:
    """First sample and latents ``(sample, component)`` of blocks."""
    blocks = crew.in_order(_latents_of, bounds, (structures, estimator), read=_read)
    for (start, stop), latents in zip(bounds, blocks, strict=True):
        yield start, latents
        if progress is not None:
            progress(stop, len(structures))


def _read(given: tuple[Structures, Any], start: int, stop: int) -> Any:
    return read_block(given[0], start, stop)


def _latents_of(given: tuple[Structures, Any], block: Any, *_: int) -> np.ndarray:
    return np.asarray(given[1].transform(block))
