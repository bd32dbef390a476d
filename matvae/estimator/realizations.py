"""Statistics realised as structures, a bounded part of the samples at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..errors import InputError
from ..grid import Grid
from ..reconstruction import reconstruct
from ..reconstruction.labels import nearest_labels
from ..reconstruction.realise import Settings, positive_integer, realise
from ..reconstruction.target import understand
from ..stats.device import resolve_device
from .fitted import Inference

# Statistics that are realised at once.
PART_BYTES = 64 << 20
# Swaps have long ended by then.
REFINEMENT_ROUNDS = 100


def check_realizations(n_realizations: Any) -> int | None:
    """The number of realizations, or None for one structure without an axis of its own.

    Raises
    ------
    InputError
        If it is no positive integer.
    """
    return None if n_realizations is None else positive_integer("n_realizations", n_realizations)


def check_search(tol: float, max_iter: int, device: str) -> None:
    """Refuse what `reconstruct` would refuse, before anything is computed.

    Raises
    ------
    InputError
        If a value makes no sense, or the device is not there.
    """
    Settings(tol=tol, max_iter=max_iter)
    resolve_device(device)


def check_phases_realized(grid: Grid, what: str) -> None:
    """Refuse what needs phases on a grid of one.

    Raises
    ------
    InputError
        If structures are continuous fields.
    """
    if grid.phases == 1:
        raise InputError(
            f"{what} makes structures of two or more phases, but this estimator was fitted on continuous fields (one "
            "local state), of which 2-point statistics fix no values. Fit it on labels, or on discretised states with "
            "state_axis=-1."
        )


def realized(
    statistics: Callable[[np.ndarray], np.ndarray],
    latents: np.ndarray,
    *,
    row_bytes: int,
    n_realizations: int | None,
    first_sample: int,
    **options: Any,
) -> np.ndarray:
    """Labels ``(sample[, realization], *space)`` of latents by way of their statistics.

    Parameters
    ----------
    statistics : callable
        Takes latents to their statistics ``(sample, *lag, correlation)``.
    latents : array ``(sample, component)``
    row_bytes : int
        Of the statistics of one sample.
    n_realizations : int or None
    first_sample : int
        Number of the first sample, on which its random start depends.
    **options
        Of `reconstruct`.
    """
    step = _samples_at_once(row_bytes * (n_realizations or 1))
    parts = [
        reconstruct(
            statistics(latents[start : start + step]),
            n_realizations=n_realizations,
            first_sample=first_sample + start,
            **options,
        ).structures
        for start in range(0, len(latents), step)
    ]
    return np.concatenate(parts)


def refined(model: Inference, latents: np.ndarray, moved: np.ndarray | None = None) -> np.ndarray:
    """Labels ``(sample[, realization], *space)`` of latents, with statistics closer to the decoded ones.

    Where a decoder is between two phases, thresholding its fractions errs. Swaps of voxels make good for that: they
    start from the thresholded structure, keep its volume fractions and most of its voxels, and never increase the
    error.

    Parameters
    ----------
    model : Inference
    latents : array ``(sample, component)``
        What is decoded; the statistics of its soft structure are wanted.
    moved : array ``(sample, realization, component)``, optional
        Latents of the structures to start from, instead; their volume fractions become those of `latents`.
    """
    spec, grid = model.module.spec, model.grid
    copies = None if moved is None else moved.shape[1]
    lags = int(np.prod(spec.lag_shape))
    step = _samples_at_once(4 * lags * len(spec.pairs) * (copies or 1))
    parts = []
    for first in range(0, len(latents), step):
        part = slice(first, first + step)
        decoded = model.decoded_statistics(latents[part])
        target, realizable = understand(decoded, grid, spec.pairs, model.module.field_mean.device)
        start = model.labels(latents[part])
        counts = _counts(start, grid.phases)
        if moved is not None:
            start = _with_counts(counts, model, moved[part])
        settings = Settings(copies, init=start, method="swaps", max_iter=REFINEMENT_ROUNDS)
        # A soft structure's statistics do not say volume fractions: at lag zero they are smaller.
        parts.append(realise(replace(target, counts=counts.to(target.counts)), realizable, settings).structures)
    return np.concatenate(parts)


def _counts(labels: np.ndarray, phases: int) -> torch.Tensor:
    """Voxels ``(sample, phase)`` of each phase."""
    flat = labels.reshape(len(labels), -1)
    return torch.from_numpy(np.stack([(flat == phase).sum(1) for phase in range(phases)], axis=1))


def _with_counts(counts: torch.Tensor, model: Inference, moved: np.ndarray) -> np.ndarray:
    """Labels ``(sample, realization, *space)`` of moved latents, with so many voxels of each phase."""
    n, copies, n_components = moved.shape
    fractions = torch.from_numpy(model.fractions(moved.reshape(-1, n_components)))
    made = nearest_labels(fractions, counts.repeat_interleave(copies, dim=0))
    return made.numpy().reshape(n, copies, *model.grid.shape)


def _samples_at_once(row_bytes: int) -> int:
    return max(1, PART_BYTES // row_bytes)
