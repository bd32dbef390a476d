"""Structures from statistics and examples: the vote of patches, exact volume fractions, and swaps of simple voxels.

2-point statistics within a cutoff do not determine networks, lamellae or percolation. Patches of examples bring these;
swaps then meet the statistics, and only those that leave the topology as it is are allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..grid import Grid
from ..stats import relative_error
from ..stats.map_samples import as_tensor
from .labels import FREE, indicators, nearest_labels
from .objective import Demands
from .patches import Dictionary, build_dictionary
from .pyramid import SLIDE, level_shape, sliding_means
from .simple_voxels import highest_nearby, simple
from .swaps import refine
from .target import Target
from .voting import Stage, vote

# Patches in a dictionary, and principal components by which they are compared.
PATCHES, COMPONENTS = 8192, 24
# Stages, from coarse to fine, for features wider than THIN voxels, and for thinner ones.
WIDE = (Stage(3, 7, 40, 1), Stage(2, 9, 40, 1), Stage(1, 11, 20, 2), Stage(0, 11, 6, 3), Stage(0, 7, 6, 2))
NARROW = (Stage(3, 7, 40, 1), Stage(2, 7, 40, 1), Stage(1, 7, 20, 2), Stage(0, 7, 8, 2))
THIN = 4.0
# Weights of the distance to the voted fields and of the roughness in the swaps, and factors by which these fall.
CLOSENESS, ROUGHNESS = 3e-3, 3e-3
FACTORS = (1.0, 0.1, 0.01)
# Weight of the mean over neighbours when fields become labels.
BLUR = 0.3


@dataclass(frozen=True)
class Examples:
    """Checked examples, and the stages of the vote.

    Parameters
    ----------
    labels : Tensor of uint8 ``(example, *space)``
    grid : Grid
        Grid of the structures to build.
    stages : tuple of Stage
    """

    labels: Tensor
    grid: Grid
    stages: tuple[Stage, ...]

    def dictionaries(self, seed: int) -> list[tuple[Stage, Dictionary]]:
        """Draw the patches of each stage."""
        fields = indicators(self.labels, self.grid.phases)
        pairs = []
        for number, stage in enumerate(self.stages):
            rng = np.random.default_rng([seed, number])
            means = sliding_means(fields, stage.level)
            pairs.append((stage, build_dictionary(means, stage.patch, 2**stage.level, PATCHES, COMPONENTS, rng)))
        return pairs


def read_examples(examples: Any, patch: Any, grid: Grid, device: torch.device) -> Examples:
    """Check examples and choose the stages of the vote."""
    labels = as_tensor(examples if isinstance(examples, Tensor) else np.asarray(examples)).to(device, torch.uint8)
    stages = tuple(stage for stage in WIDE if stage.patch <= min(level_shape(grid.shape, stage.level)))
    return Examples(labels, grid, stages)


def solve_with_examples(
    target: Target,
    start: Tensor,
    stages: Sequence[tuple[Stage, Dictionary]],
    seeds: Sequence[Sequence[int]],
    *,
    tol: float,
    max_iter: int,
    demands: Demands,
) -> tuple[Tensor, Tensor, Tensor]:
    voted = vote(target, start, stages, seeds, demands.fixed)
    distance = relative_error(target.statistics, target.of(voted)) if target.pairs else voted.new_zeros(len(voted))
    labels = nearest_labels(voted + BLUR * _blurred(voted, target.grid.periodic), target.counts, fixed=demands.fixed)
    labels, held = demands.satisfied(target, labels)
    labels = _swapped(target, labels, voted, tol, max_iter, demands, held)
    return labels, distance, torch.full((len(start),), sum(stage.n_iter for stage, _ in stages), device=start.device)


def _swapped(target, labels, voted, tol, max_iter, demands, held):
    periodic = target.grid.periodic
    fixed = None if held is None else held != FREE

    def loss(factor: float, fields: Tensor) -> Tensor:
        # For indicator fields these are |F - v|^2 and |F(x) - F(y)|^2, in a form whose gradient is exact for a swap.
        close = CLOSENESS * (fields * (1 - 2 * voted) + voted.square()).sum(1).flatten(1).mean(1)
        rough = ROUGHNESS * _roughness(fields, periodic)
        return (demands.loss(target, fields) - tol**2).clamp_min(0) + factor * (close + rough)

    def movable(labels: Tensor, change: Tensor, pair: tuple[int, int]) -> Tensor:
        allowed = simple(labels, pair, periodic)
        if fixed is not None:
            allowed &= ~fixed
        # As many voxels leave a phase as enter it, so only differences of the change matter.
        middle = torch.where(allowed, change, torch.nan).flatten(1).nanmedian(1).values.nan_to_num()
        gain = change - middle.view(-1, *[1] * (change.ndim - 1))
        gain = torch.where(labels == pair[0], -gain, gain)
        return allowed & highest_nearby(torch.where(allowed, gain, -torch.inf), periodic)

    for factor in FACTORS:
        labels, _ = refine(
            labels, partial(loss, factor), target.grid.phases, rounds=max_iter, fixed=fixed, candidates=movable
        )
    return labels


def _roughness(fields: Tensor, periodic: bool) -> Tensor:
    total = fields.new_zeros(len(fields))
    for axis in range(2, fields.ndim):
        other = fields.roll(-1, axis)
        difference = fields + other - 2 * fields * other
        if not periodic:
            difference = difference.narrow(axis, 0, fields.shape[axis] - 1)
        total = total + difference.sum(1).flatten(1).mean(1)
    return total


def _blurred(fields: Tensor, periodic: bool) -> Tensor:
    sides = [1] * (2 * (fields.ndim - 2))
    padded = torch.nn.functional.pad(fields, sides, "circular" if periodic else "replicate")
    return SLIDE[fields.ndim - 2](padded, 3, stride=1)
