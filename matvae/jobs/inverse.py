"""Decode latents into a store of structures, streamed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import validate
from ..data import StoreWriter
from ..data.sample_blocks import Progress, block_bounds, samples_per_block
from ..errors import InputError
from ..estimator import FittedModel, load
from ..estimator.realizations import plan_inverse
from ..estimator.textures import AUTO, DECODER
from ..memory import check_memory
from .cluster import crew_of
from .files.kept import ATTRIBUTE, Request, digest, digest_of_model, is_complete, kept_results
from .files.latents import read_latents
from .files.outputs import check_output
from .models import check_form, known_values

# Latents per block where structures are realized from statistics, which takes up to seconds each.
MOST_REALIZED = 4


def inverse_latents(
    model: str | Path,
    latents: str | Path,
    out: str | Path,
    *,
    n_realizations: int | None = None,
    shape: int | Sequence[int] | None = None,
    realize: str = AUTO,
    patch: Any = AUTO,
    seed: int = 0,
    workers: int | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Decode latents into a new store of structures.

    Parameters
    ----------
    model : path
        Fitted model, as `fit_model` saved it.
    latents : path
        Latents ``(sample, component)`` as .zarr, .npy or .csv with a header line.
    out : path
        New store ``(sample, *space)``; with `n_realizations` the realizations of a latent are consecutive, and the
        properties ``latent_index`` and ``realization`` identify them.
    n_realizations : int, optional
        Structures per latent; by default one.
    shape : int or sequence of int, optional
        Voxels along every or each axis, by default those of the structures that the model was fitted on.
    realize : ``"auto"``, ``"examples"``, ``"retrieval"`` or ``"decoder"``
        How structures arise, see `StatsVAETransformer.inverse_transform`.
    patch : ``"auto"``, int or sequence of int
        Edge of the patches of training windows, as there.
    seed : int
        Of the realizations.
    workers, scheduler : optional
        Number of local processes, or address of a dask scheduler, that do the work; see `matvae.jobs.cluster.crew_of`.
    overwrite : bool
        Whether an existing store may be replaced.
    resume : bool
        Keep what is decoded in a folder beside `out` until that is complete, and take over what an interrupted run of
        the same latents and options has kept there.
    progress : callable, optional
        Called with the number of latents done and their total.

    Returns
    -------
    dict
        ``out``, ``n_samples``, ``grid``.

    Raises
    ------
    InputError, StoreError
        If the latents do not fit the model, the output cannot be written, or what an interrupted run has kept belongs
        to other latents or options.
    JobInterrupted
        On Ctrl-C, if something is kept.

    Notes
    -----
    Without `resume`, nothing is left behind after an error or an interrupt.
    """
    target = check_output(out, [model, latents], overwrite=overwrite or resume)
    if n_realizations is not None:
        validate.integer("n_realizations", n_realizations, 1)
    estimator = load(model)
    check_form(estimator, model)
    Z = read_latents(latents)
    n_components = len(estimator.get_feature_names_out())
    if Z.shape[1] != n_components:
        raise InputError(
            f"The model {model} has {n_components} latent components, but {latents} contains {Z.shape[1]}. "
            "Pass latents of this model."
        )
    # Refuses a shape or a method that the model does not have, before a store is begun.
    way, sides = plan_inverse(FittedModel.of(estimator), realize=realize, shape=shape, patch=patch)
    grid, n_each = replace(estimator.grid_, shape=sides), n_realizations or 1
    check_memory(
        4 * grid.phases * math.prod(grid.shape) * n_each,
        device="cpu",
        what=f"Decoding one latent to {n_each} structures of {' x '.join(map(str, grid.shape))} voxels",
        remedy="Choose a smaller shape (--shape), or fewer realizations (--n-realizations).",
    )
    # Soft phase fractions of every realization, in single precision, dominate the memory.
    size = samples_per_block(4 * grid.phases * math.prod(grid.shape) * n_each)
    if way != DECODER:
        size = min(size, MOST_REALIZED)
    names = ("latent_index", "realization") if n_realizations else ()
    result = {"out": str(target), "n_samples": len(Z) * n_each, "grid": grid.to_dict()}
    options = {"n_realizations": n_realizations, "shape": shape, "realize": realize, "patch": patch}
    inputs = {"model": digest_of_model(model), "latents": digest(Z)}
    request = Request({"job": "inverse", **options, "shape": sides, "seed": seed}, inputs)
    if is_complete(target, request, resume=resume, overwrite=overwrite):
        return result
    bounds = list(block_bounds(len(Z), size))
    tasks = ((Z[start:stop], _block_seed(seed, number)) for number, (start, stop) in enumerate(bounds))
    with (
        crew_of(workers, scheduler) as crew,
        kept_results(target, request, resume=resume, overwrite=overwrite) as kept,
        StoreWriter(
            target,
            grid,
            n_samples=len(Z) * n_each,
            property_names=names,
            attributes={"model": Path(model).name, **known_values(estimator), ATTRIBUTE: request.fingerprint},
            overwrite=overwrite,
        ) as writer,
    ):
        blocks = kept.in_order(crew, _structures_of, tasks, (estimator, options))
        for (start, stop), structures in zip(bounds, blocks, strict=True):
            index = np.arange(start, stop)
            properties = (
                {
                    "latent_index": np.repeat(index, n_each).astype(float),
                    "realization": np.tile(np.arange(n_each), stop - start).astype(float),
                }
                if names
                else {}
            )
            writer.append(structures.reshape(-1, *grid.shape), properties)
            if progress is not None:
                progress(stop, len(Z))
    return result


def _structures_of(given: tuple[Any, dict[str, Any]], latents: np.ndarray, seed: int) -> np.ndarray:
    """Structures of a block of latents."""
    estimator, options = given
    return np.asarray(estimator.inverse_transform(latents, random_state=seed, **options))


def _block_seed(seed: int, number: int) -> int:
    """Seed of one block; blocks depend on the model alone, so the same seed gives the same structures."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
