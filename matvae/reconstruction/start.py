"""Where a reconstruction starts: random labels with the wanted volume fractions, or what the user gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..grid import Grid
from .labels import FREE, indicators, nearest_labels
from .target import Target


def starting_labels(
    init: Any, target: Target, copies: int, seed: int, first: int = 0, fixed: Tensor | None = None
) -> Tensor:
    """Labels ``(sample * copies, *space)`` to start from.

    Parameters
    ----------
    init : array ``(sample, *space)`` or ``(sample, realization, *space)``, or None
        What the user gives.
    target : Target
    copies : int
        Realizations of each sample.
    seed : int
        Of the random labels; a structure's own number joins it, so blocks do not matter.
    first : int
        Number of the first sample.
    fixed : Tensor ``(sample, *space)``, optional
        Labels of voxels that have them in any case, 255 elsewhere.

    Returns
    -------
    Tensor of uint8 ``(sample * copies, *space)``
        With exact numbers of voxels: what the user gives is changed where it has others.

    Raises
    ------
    InputError
        If `init` has another shape, or other labels than the phases.
    """
    grid, n = target.grid, len(target)
    counts = target.counts.cpu().repeat_interleave(copies, dim=0)
    held = None if fixed is None else fixed.cpu().repeat_interleave(copies, dim=0)
    draws = (np.random.default_rng([seed, number]) for number in range(first * copies, (first + n) * copies))
    if init is None:
        known = np.full((n * copies, grid.n_voxels), FREE, np.uint8) if held is None else held.flatten(1).numpy()
        made = [_shuffled(row, voxels, rng) for row, voxels, rng in zip(known, counts.numpy(), draws, strict=True)]
        return torch.from_numpy(np.stack(made)).view(-1, *grid.shape)
    labels = _given(init, grid, n, copies)
    found = torch.stack([(labels == phase).flatten(1).sum(1) for phase in range(grid.phases)], dim=1)
    if held is None and bool((found == counts).all()):
        return labels
    # Which voxels of a phase give way is left to chance.
    noise = np.stack([rng.random(grid.shape, np.float32) for rng in draws])
    fields = indicators(labels, grid.phases) * (1 + torch.from_numpy(noise).unsqueeze(1))
    return nearest_labels(fields, counts, fixed=held).to(torch.uint8)


def _shuffled(known: np.ndarray, voxels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels ``(voxel,)`` that are `known`, or random where that is 255, with so many voxels of each phase."""
    free = known == FREE
    rest = voxels - np.bincount(known[~free], minlength=len(voxels))
    labels = np.repeat(np.arange(len(voxels), dtype=np.uint8), rest)
    rng.shuffle(labels)
    made = known.copy()
    made[free] = labels
    return made


def _given(init: Any, grid: Grid, n: int, copies: int) -> Tensor:
    given = np.asarray(init.cpu() if isinstance(init, Tensor) else init)
    shapes = [(n, *grid.shape)] if copies == 1 else [(n, *grid.shape), (n, copies, *grid.shape)]
    if given.shape not in (*shapes, (n, copies, *grid.shape)):
        raise InputError(f"init must be labels of shape {shapes[-1]}, but an array of shape {given.shape} was given.")
    if given.dtype.kind not in "biu" or given.min() < 0 or given.max() >= grid.phases:
        raise InputError(f"init must hold integer labels 0 to {grid.phases - 1}, but {given.dtype} was given.")
    labels = torch.from_numpy(given.astype(np.uint8))
    if given.ndim == grid.ndim + 1:
        return labels.repeat_interleave(copies, dim=0)
    return labels.reshape(-1, *grid.shape)
