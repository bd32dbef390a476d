"""Structures of latents beyond decoding: several realizations, refinement by swaps, and the way by statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from .. import validate
from ..errors import InputError
from ..grid import Grid
from ..reconstruction import reconstruct
from ..reconstruction.labels import count_voxels, nearest_labels
from ..reconstruction.realise import Settings, realise
from ..reconstruction.target import read_target
from ..stats.device import resolve_device
from .fitted import FittedModel
from .textures import AUTO, DECODER, EXAMPLES, check_shape, choose_method

# Statistics that are realised at once.
PART_BYTES = 64 << 20
# Swaps have converged long before.
REFINEMENT_ROUNDS = 100


def check_realizations(n_realizations: Any) -> int | None:
    """Return the number of realizations, or None for one structure without an axis of its own.

    Raises
    ------
    InputError
        If it is not a positive integer.
    """
    return None if n_realizations is None else validate.integer("n_realizations", n_realizations, 1)


def plan_inverse(
    model: FittedModel,
    *,
    realize: str = AUTO,
    shape: int | Sequence[int] | None = None,
    as_fractions: bool = False,
    refine: bool = False,
    patch: Any = AUTO,
) -> tuple[str, tuple[int, ...]]:
    """Decide how structures arise from latents, and check what is asked for.

    Parameters
    ----------
    model : FittedModel
    realize, shape, as_fractions, refine, patch
        As in `StatsVAETransformer.inverse_transform`.

    Returns
    -------
    (str, tuple of int)
        Method, see `choose_method`, and shape of the structures.

    Raises
    ------
    InputError
        If the model does not have such a method or shape, or two options contradict each other.
    """
    grid = model.grid
    sides = grid.shape if shape is None else check_shape(shape, grid)
    method = choose_method(model.module, realize, sides)
    if method != EXAMPLES and not (isinstance(patch, str) and patch == AUTO):
        raise InputError(
            f"patch={patch!r} sets the edge of patches of training windows, but here structures are realized by "
            f"realize={method!r}, which uses none. Leave patch out, or pass realize='examples'."
        )
    if method != DECODER:
        check_phases_realized(grid, f"realize={method!r}")
        if as_fractions or refine:
            raise InputError(
                f"as_fractions and refine concern decoders of structures, but realize={method!r} gives labels that "
                "already have the decoded statistics as closely as possible. Leave them out."
            )
        return method, sides
    if sides != grid.shape:
        raise InputError(
            f"This model decodes structures of shape {grid.shape}, but shape={shape} was asked for. Pass "
            'realize="retrieval", or fit a model with decoder="statistics", whose structures can have any shape.'
        )
    if refine:
        check_phases_realized(grid, "refine=True")
        if as_fractions:
            raise InputError(
                "refine=True swaps voxels of thresholded structures, but as_fractions=True asks for the soft "
                "fractions. Omit one of the two."
            )
    return method, sides


def check_search(tol: float, max_iter: int, device: str) -> None:
    """Refuse what `reconstruct` would refuse, before anything is computed.

    Raises
    ------
    InputError
        If a value makes no sense, or the device does not exist.
    """
    Settings(tol=tol, max_iter=max_iter)
    resolve_device(device)


def check_phases_realized(grid: Grid, request: str) -> None:
    """Refuse a request that needs phases on a grid of one local state.

    Raises
    ------
    InputError
        If structures are continuous fields.
    """
    if grid.phases == 1:
        raise InputError(
            f"{request} makes structures of two or more phases, but this estimator was fitted on continuous fields "
            "(one local state), whose values 2-point statistics do not determine. Fit it on labels, or on discretised "
            "states with state_axis=-1."
        )


@dataclass(frozen=True)
class Realizations:
    """Several structures per latent: moved within the encoder's uncertainty and, on a periodic grid, shifted.

    Parameters
    ----------
    model : FittedModel
    n_realizations : int
    seed : int
        Joined by the number of each sample.
    deviation : array ``(component,)``
        Standard deviation by which latents move.
    as_fractions, refine : bool
        As in `StatsVAETransformer.inverse_transform`.
    """

    model: FittedModel
    n_realizations: int
    seed: int
    deviation: np.ndarray
    as_fractions: bool = False
    refine: bool = False

    def of(self, latents: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Realizations ``(sample, realization, *shape)`` of latents ``(sample, component)``.

        `numbers` ``(sample, 1)`` are those of the samples.
        """
        n, grid = self.n_realizations, self.model.grid
        rngs = [np.random.default_rng([self.seed, int(number)]) for number in numbers[:, 0]]
        steps = np.stack([rng.standard_normal((n, latents.shape[1])) for rng in rngs]) * self.deviation
        moved = (latents[:, None] + steps).astype(latents.dtype)
        if self.refine:
            structures = refined(self.model, latents, moved).reshape(-1, *grid.shape)
        else:
            decode = self.model.fractions if self.as_fractions else self.model.labels
            structures = decode(moved.reshape(-1, latents.shape[1]))
        if grid.periodic:
            shifts = np.concatenate([rng.integers(grid.shape, size=(n, grid.ndim)) for rng in rngs])
            structures = _shifted(structures, shifts)
        if not self.as_fractions:
            structures = self.model.restore(structures)
        return structures.reshape(len(latents), n, *structures.shape[1:])


def refined(model: FittedModel, latents: np.ndarray, moved: np.ndarray | None = None) -> np.ndarray:
    """Labels ``(sample[, realization], *space)`` of latents, with statistics closer to the decoded ones.

    Where a decoder is between two phases, thresholding its fractions errs. Swaps of voxels compensate for that: they
    start from the thresholded structure, preserve its volume fractions and most of its voxels, and never increase the
    error.

    Parameters
    ----------
    model : FittedModel
    latents : array ``(sample, component)``
        Their soft structures have the target statistics.
    moved : array ``(sample, realization, component)``, optional
        Latents of the structures to start from, instead; their volume fractions become those of `latents`.
    """
    spec, grid = model.module.spec, model.grid
    n_realizations = None if moved is None else moved.shape[1]
    step = _samples_at_once(4 * int(np.prod(model.statistics_shape)) * (n_realizations or 1))
    parts = []
    for first in range(0, len(latents), step):
        part = slice(first, first + step)
        statistics = model.decoded_statistics(latents[part])
        target, realizable = read_target(statistics, grid, spec.pairs, model.module.field_mean.device)
        start = model.labels(latents[part])
        counts = count_voxels(torch.from_numpy(start), grid.phases)
        if moved is not None:
            start = _with_counts(counts, model, moved[part])
        settings = Settings(n_realizations, init=start, method="swaps", max_iter=REFINEMENT_ROUNDS)
        # The statistics of a soft structure do not contain its volume fractions: at zero lag they are smaller.
        parts.append(realise(replace(target, counts=counts.to(target.counts)), realizable, settings).structures)
    return np.concatenate(parts)


def realized(
    statistics: Callable[[np.ndarray], np.ndarray],
    scores: np.ndarray,
    *,
    row_bytes: int,
    n_realizations: int | None,
    first_sample: int,
    **options: Any,
) -> np.ndarray:
    """Labels ``(sample[, realization], *space)`` of PC scores by way of their statistics.

    Parameters
    ----------
    statistics : callable
        Takes scores to their statistics ``(sample, *lag, correlation)``.
    scores : array ``(sample, component)``
    row_bytes : int
        Size of the statistics of one sample.
    n_realizations : int or None
    first_sample : int
        Number of the first sample, on which its random start depends.
    **options
        Of `reconstruct`.
    """
    step = _samples_at_once(row_bytes * (n_realizations or 1))
    parts = [
        reconstruct(
            statistics(scores[start : start + step]),
            n_realizations=n_realizations,
            first_sample=first_sample + start,
            **options,
        ).structures
        for start in range(0, len(scores), step)
    ]
    return np.concatenate(parts)


def _with_counts(counts: torch.Tensor, model: FittedModel, moved: np.ndarray) -> np.ndarray:
    """Labels ``(sample, realization, *space)`` of moved latents, with given numbers of voxels of each phase."""
    n, n_realizations, n_components = moved.shape
    fractions = torch.from_numpy(model.fractions(moved.reshape(-1, n_components)))
    labels = nearest_labels(fractions, counts.repeat_interleave(n_realizations, dim=0))
    return labels.numpy().reshape(n, n_realizations, *model.grid.shape)


def _shifted(structures: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Structures ``(sample, ..., *space)`` rolled by ``(sample, axis)`` voxels."""
    axes = tuple(range(-shifts.shape[1], 0))
    return np.stack([np.roll(x, shift, axes) for x, shift in zip(structures, shifts.tolist(), strict=True)])


def _samples_at_once(row_bytes: int) -> int:
    return max(1, PART_BYTES // row_bytes)
