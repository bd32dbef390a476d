"""Initial labels of a reconstruction: random with the target volume fractions, or given by the user."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..grid import Grid
from .labels import FREE, count_voxels, indicators, nearest_labels
from .target import Target


def starting_labels(
    init: Any, target: Target, copies: int, seed: int, first: int = 0, fixed: Tensor | None = None
) -> Tensor:
    """Return initial labels ``(sample * copies, *space)``.

    Parameters
    ----------
    init : array ``(sample, *space)`` or ``(sample, realization, *space)``, or None
        Initial labels given by the user.
    target : Target
    copies : int
        Number of realizations per sample.
    seed : int
        Seed of the random labels. It is combined with the index of each structure, so the result is independent of
        how the samples are split into blocks.
    first : int
        Index of the first sample.
    fixed : Tensor ``(sample, *space)``, optional
        Labels of prescribed voxels, 255 elsewhere.

    Returns
    -------
    Tensor of uint8 ``(sample * copies, *space)``
        Labels with the exact number of voxels of each phase; given labels are changed where their numbers differ.

    Raises
    ------
    InputError
        If the shape of `init` does not fit, or it holds labels other than those of the phases.
    """
    grid, n = target.grid, len(target)
    counts = target.counts.cpu().repeat_interleave(copies, dim=0)
    held = None if fixed is None else fixed.cpu().repeat_interleave(copies, dim=0)
    generators = (np.random.default_rng([seed, number]) for number in range(first * copies, (first + n) * copies))
    if init is None:
        known = np.full((n * copies, grid.n_voxels), FREE, np.uint8) if held is None else held.flatten(1).numpy()
        shuffled = [
            _shuffled(row, voxels, rng) for row, voxels, rng in zip(known, counts.numpy(), generators, strict=True)
        ]
        return torch.from_numpy(np.stack(shuffled)).view(-1, *grid.shape)
    labels = _checked_labels(init, grid, n, copies)
    if held is None and bool((count_voxels(labels, grid.phases) == counts).all()):
        return labels
    # Choose at random which voxels of a phase are changed.
    noise = np.stack([rng.random(grid.shape, np.float32) for rng in generators])
    fields = indicators(labels, grid.phases) * (1 + torch.from_numpy(noise).unsqueeze(1))
    return nearest_labels(fields, counts, fixed=held).to(torch.uint8)


def _shuffled(known: np.ndarray, voxels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return `known` labels ``(voxel,)``, with random ones where these are 255, and `voxels` of each phase in total."""
    free = known == FREE
    rest = voxels - np.bincount(known[~free], minlength=len(voxels))
    labels = np.repeat(np.arange(len(voxels), dtype=np.uint8), rest)
    rng.shuffle(labels)
    completed = known.copy()
    completed[free] = labels
    return completed


def _checked_labels(init: Any, grid: Grid, n: int, copies: int) -> Tensor:
    array = np.asarray(init.cpu() if isinstance(init, Tensor) else init)
    shapes = [(n, *grid.shape)] if copies == 1 else [(n, *grid.shape), (n, copies, *grid.shape)]
    if array.shape not in (*shapes, (n, copies, *grid.shape)):
        raise InputError(f"init must be labels of shape {shapes[-1]}, but an array of shape {array.shape} was given.")
    if array.dtype.kind not in "biu" or array.min() < 0 or array.max() >= grid.phases:
        raise InputError(f"init must hold integer labels 0 to {grid.phases - 1}, but {array.dtype} was given.")
    labels = torch.from_numpy(array.astype(np.uint8))
    if array.ndim == grid.ndim + 1:
        return labels.repeat_interleave(copies, dim=0)
    return labels.reshape(-1, *grid.shape)
