"""Voting: fields made of overlapping example patches, in turns with the projection onto the target statistics.

From coarse to fine, fields are projected onto the given statistics; every patch of the result is replaced by the
nearest example patch, and overlapping patches are averaged (Kwatra, Essa, Bobick & Kwatra, ACM Transactions on Graphics
24, 795 (2005), who optimise textures in this way without statistics).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .labels import FREE, indicators
from .moduli import Moduli
from .patches import Dictionary, patch_weights, tiling
from .pyramid import box_means, enlarged, level_shape, level_target
from .target import Target

# Share of the way to the projection that fields move before the vote.
PROJECTED = 0.9
# Gain and limit of the correction that keeps volume fractions through the votes.
GAIN, LIMIT = 0.3, 0.3
# Standard deviation of the noise at a new level, in units of that of a phase.
NOISE = 0.2


@dataclass(frozen=True)
class Stage:
    """Votes with one size of patches at one level.

    Parameters
    ----------
    level : int
        Voxels are ``2**level`` voxels of the structure wide.
    patch : int
        Edge of a patch in voxels of the level.
    n_iter : int
        Number of votes.
    stride : int
        Distance of neighbouring patches.
    """

    level: int
    patch: int
    n_iter: int
    stride: int


def vote(
    target: Target,
    start: Tensor,
    stages: Sequence[tuple[Stage, Dictionary]],
    seeds: Sequence[Sequence[int]],
    fixed: Tensor | None = None,
) -> Tensor:
    """Build phase fields of example patches that have nearly the target statistics.

    Parameters
    ----------
    target : Target
    start : Tensor ``(sample, *space)``
        Initial labels, of which only the means at the coarsest level matter.
    stages : sequence of (Stage, Dictionary)
        From coarse to fine.
    seeds : sequence of sequences of int
        Seed of each sample.
    fixed : Tensor ``(sample, *space)``, optional
        Labels of prescribed voxels, 255 elsewhere.

    Returns
    -------
    Tensor ``(sample, phase, *space)``
        Values between 0 and 1, with nearly the volume fractions of the target.
    """
    grid = target.grid
    fractions = (target.counts / grid.n_voxels).float().view(len(target), -1, *[1] * grid.ndim)
    deviation = (fractions * (1 - fractions)).sqrt()
    held = None if fixed is None else _held(fixed, grid.phases)
    fields, level = indicators(start, grid.phases), None
    for stage, dictionary in stages:
        shape = level_shape(grid.shape, stage.level)
        if stage.level != level:
            fields = box_means(fields, shape) if level is None else enlarged(fields, shape)
            noise = _noise(seeds, stage.level, tuple(fields.shape[1:])).to(fields)
            fields = fields + (1.0 if level is None else NOISE) * deviation * noise
            level = stage.level
            moduli = Moduli(level_target(target, level))
            known = None if held is None else (box_means(held[0], shape), box_means(held[1], shape))
        fields = _in_turns(fields, fractions, moduli, stage, dictionary, grid.periodic, known)
    return fields


def vote_again(
    labels: Tensor, n_phases: int, stage: Stage, dictionary: Dictionary, periodic: bool, fixed: Tensor | None = None
) -> Tensor:
    """Replace labels by the mean of the example patches nearest to their own, without regard to the statistics.

    Parameters
    ----------
    labels : Tensor ``(sample, *space)``
    n_phases : int
    stage, dictionary
        Of the finest level.
    periodic : bool
    fixed : Tensor ``(sample, *space)``, optional
        As in `vote`.

    Returns
    -------
    Tensor ``(sample, phase, *space)``
    """
    fields = indicators(labels, n_phases)
    known = None if fixed is None else _held(fixed, n_phases)
    for iteration in range(stage.n_iter):
        fields = _with_known(_voted(fields, iteration, stage, dictionary, periodic), known)
    return fields


def _in_turns(
    fields: Tensor,
    fractions: Tensor,
    moduli: Moduli,
    stage: Stage,
    dictionary: Dictionary,
    periodic: bool,
    known: tuple[Tensor, Tensor] | None,
) -> Tensor:
    """Alternate the projection onto the statistics and the vote."""
    space = tuple(range(2, fields.ndim))
    window = (slice(None), slice(None), *(slice(n) for n in fields.shape[2:]))
    bias = torch.zeros_like(fractions)
    for iteration in range(stage.n_iter):
        near = moduli(_embedded(fields, moduli.shape))[window]
        near = near + fractions - near.mean(space, keepdim=True)
        bias = (bias + GAIN * (fractions - fields.mean(space, keepdim=True))).clamp(-LIMIT, LIMIT)
        asked = _with_known(fields + PROJECTED * (near - fields) + bias, known)
        fields = _with_known(_voted(asked, iteration, stage, dictionary, periodic), known)
    return fields


def _voted(asked: Tensor, iteration: int, stage: Stage, dictionary: Dictionary, periodic: bool) -> Tensor:
    """Weighted mean of the example patches nearest to the patches of fields ``(sample, phase, *space)``."""
    if asked.shape[1] == 2:
        # Of two phases, one is the complement of the other, and the dictionary holds the second only.
        second = _weighted_mean(asked[:, 1:], iteration, stage, dictionary, periodic)
        return torch.cat([1 - second, second], dim=1)
    return _weighted_mean(asked, iteration, stage, dictionary, periodic)


def _weighted_mean(asked: Tensor, iteration: int, stage: Stage, dictionary: Dictionary, periodic: bool) -> Tensor:
    n, n_phases, *shape = asked.shape
    weights = patch_weights(stage.patch, len(shape)).to(asked)
    # Neighbouring positions take turns, so that no grid of patch borders appears.
    first = [(iteration + axis) % stage.stride for axis in range(len(shape))]
    flat = asked.flatten(2)
    sums, shares = torch.zeros_like(flat).flatten(0, 1), weights.new_zeros(flat.shape[2])
    for index in tiling(shape, stage.patch, stage.stride, first, periodic):
        part = index.to(asked.device)
        queries = flat[:, :, part].movedim(2, 1).flatten(0, 1)
        chosen = dictionary.patches[dictionary.nearest(queries)] * weights
        chosen = chosen.view(n, len(part), n_phases, -1).movedim(2, 1).flatten(2).flatten(0, 1)
        sums.index_add_(1, part.flatten(), chosen)
        shares.index_add_(0, part.flatten(), weights.repeat(len(part)))
    return (sums / shares).view_as(asked)


def _embedded(fields: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Fields on the grid of the transform, with zeros around a non-periodic window."""
    if tuple(fields.shape[2:]) == shape:
        return fields
    padded = fields.new_zeros(*fields.shape[:2], *shape)
    padded[(slice(None), slice(None), *(slice(n) for n in fields.shape[2:]))] = fields
    return padded


def _held(fixed: Tensor, n_phases: int) -> tuple[Tensor, Tensor]:
    """Indicator fields of the fixed voxels ``(sample, phase, *space)``, and which voxels are free."""
    return indicators(fixed, n_phases), (fixed == FREE).unsqueeze(1).float()


def _with_known(fields: Tensor, known: tuple[Tensor, Tensor] | None) -> Tensor:
    return fields if known is None else known[0] + known[1] * fields


def _noise(seeds: Sequence[Sequence[int]], level: int, shape: tuple[int, ...]) -> Tensor:
    """Standard normal noise ``(sample, *shape)``, the same for a sample whatever its block."""
    noise = [np.random.default_rng([*seed, level]).standard_normal(shape, np.float32) for seed in seeds]
    return torch.from_numpy(np.stack(noise))
