"""Structures from statistics and examples: the vote of patches, exact volume fractions, and swaps of simple voxels.

2-point statistics within a cutoff do not determine networks, lamellae or percolation. Patches of examples bring these.
Then swaps, which bring the statistics closer, and votes at the finest level, which restore the patches, take turns. The
swaps at the end leave the topology as it is and the neighbourhoods of voxels as common as in the examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..grid import Grid
from ..stats import relative_error
from ..stats.map_samples import as_tensor
from ..validate import is_integer
from .labels import FREE, indicators, nearest_labels
from .neighbourhoods import neighbour_means, neighbourhood_energies, neighbourhood_energy
from .objective import Demands
from .patches import Dictionary, build_dictionary
from .pyramid import level_shape, sliding_means
from .simple_swaps import refine_simple
from .target import Target
from .voting import Stage, vote, vote_again

# Patches in a dictionary, and principal components by which they are compared.
PATCHES, COMPONENTS = 8192, 24
# Levels are used as long as box means keep this part of the variance of the phases.
KEPT_VARIANCE = 0.2
# Edges of patches by level, from the finest, and the edge at levels beyond and in materials with thin features, i.e.
# with the finest two levels only. Every finest level ends with patches of the latter edge.
EDGES, SMALL_EDGE = (11, 11, 9), 7
# Votes by level, from the finest, and at levels beyond.
VOTES, MORE_VOTES = (6, 20), 40
# Turns of swaps and votes, and the number of rounds and of votes of each.
TURNS, TURN_ROUNDS, TURN_VOTES = 2, 60, 2
# Weights of the energy of neighbourhoods in successive swaps.
WEIGHTS = (3e-3, 3e-4, 3e-5)
# Weight of the mean over neighbours when fields become labels.
BLUR = 0.3
# Examples are at least this number of patches wide in total at every level.
FEWEST_POSITIONS = 200


@dataclass(frozen=True)
class Examples:
    """Checked examples, and the stages of the vote.

    Parameters
    ----------
    labels : Tensor of uint8 ``(example, *space)``
    grid : Grid
        Grid of the structures to build.
    stages : tuple of Stage
        From coarse to fine.
    """

    labels: Tensor
    grid: Grid
    stages: tuple[Stage, ...]

    def prepare(self, seed: int) -> Prepared:
        """Draw the patches of each stage, and count the neighbourhoods."""
        fields = indicators(self.labels, self.grid.phases)
        varying = fields[:, 1:] if self.grid.phases == 2 else fields
        stages = []
        for number, stage in enumerate(self.stages):
            rng = np.random.default_rng([seed, number])
            means, width = sliding_means(varying, stage.level), 2**stage.level
            stages.append((stage, build_dictionary(means, stage.patch, width, PATCHES, COMPONENTS, rng)))
        return Prepared(tuple(stages), neighbourhood_energies(self.labels, self.grid.phases))


@dataclass(frozen=True)
class Prepared:
    """What the search takes from the examples.

    Parameters
    ----------
    stages : tuple of (Stage, Dictionary)
    energies : Tensor ``(phase, number)``
        Of neighbourhoods.
    """

    stages: tuple[tuple[Stage, Dictionary], ...]
    energies: Tensor


def read_examples(examples: Any, patch: Any, grid: Grid, device: torch.device) -> Examples:
    """Check examples, and choose the stages of the vote.

    Parameters
    ----------
    examples : array of int ``(example, *space)``
        Labels of the phases of the grid.
    patch : ``"auto"``, int, or sequence of int
        Edge of the patches in voxels of their level: the same for all levels, or by level from the finest one.
    grid : Grid
    device : torch.device

    Raises
    ------
    InputError
        If the labels do not fit the grid, or `patch` neither the grid nor the examples.
    """
    array = examples.cpu().numpy() if isinstance(examples, Tensor) else np.asarray(examples)
    if array.dtype.kind not in "biu" or array.ndim != grid.ndim + 1 or 0 in array.shape:
        raise InputError(
            f"examples must be integer labels (example, *space) with {grid.ndim} spatial axes like the grid, but an "
            f"array of shape {array.shape} and type {array.dtype} was given. Add an axis for a single example: X[None]."
        )
    if array.min() < 0 or array.max() >= grid.phases or len(np.unique(array)) < min(2, grid.phases):
        raise InputError(
            f"examples must hold the labels 0 to {grid.phases - 1} of the grid's {grid.phases} phases, at least two of "
            f"them, but labels from {array.min()} to {array.max()} were given. Pass examples of the same material."
        )
    labels = as_tensor(array.astype(np.uint8)).to(device)
    return Examples(labels, grid, _stages(labels, patch, grid))


def _stages(labels: Tensor, patch: Any, grid: Grid) -> tuple[Stage, ...]:
    edges = _edges(labels, patch, grid)
    stages = []
    for level in reversed(range(len(edges))):
        n_votes = VOTES[level] if level < len(VOTES) else MORE_VOTES
        stages.append(Stage(level, edges[level], n_votes, stride=(edges[level] + 1) // 4 if level < 2 else 1))
    finest = min(SMALL_EDGE, edges[0])
    return (*stages, Stage(0, finest, VOTES[0], stride=max(1, (finest + 1) // 4)))


def _edges(labels: Tensor, patch: Any, grid: Grid) -> list[int]:
    """Edges of the patches by level, from the finest one."""
    if isinstance(patch, str) and patch == "auto":
        n_levels = _levels(labels, grid)
        beyond = [SMALL_EDGE] * n_levels
        wished = beyond if n_levels <= 2 else [*EDGES, *beyond][:n_levels]
    elif is_integer(patch) and patch >= 3:
        wished = [int(patch)] * _levels(labels, grid)
    elif isinstance(patch, tuple | list) and patch and all(is_integer(edge) and edge >= 3 for edge in patch):
        wished = [int(edge) for edge in patch]
    else:
        raise InputError(
            "patch must be 'auto', an edge of at least 3 voxels, or a list of such edges by level from the finest, but "
            f"{patch!r} was given."
        )
    edges: list[int] = []
    for level, edge in enumerate(wished):
        most = min(*level_shape(grid.shape, level), *level_shape(labels.shape[1:], level, down=True))
        if edge > most and (level == 0 or not isinstance(patch, str)):
            raise InputError(
                f"Patches of {edge} voxels of width {2**level} must fit both the grid {grid.shape} and the examples "
                f"{tuple(labels.shape[1:])}, but at most {most} do. Pass patch={max(3, most)}, or larger examples."
            )
        positions = len(labels)
        for n in labels.shape[1:]:
            positions *= max(0, n - edge * 2**level + 1)
        if edge > most or (level > 0 and positions < FEWEST_POSITIONS):
            break
        edges.append(edge)
    return edges


def _levels(labels: Tensor, grid: Grid) -> int:
    """Number of levels at which box means still differ between places."""
    fields = indicators(labels, grid.phases)
    space = tuple(range(2, fields.ndim))
    variance = fields.var(space).sum()
    n_levels = 1
    while 2 ** (n_levels + 1) <= min(labels.shape[1:]):
        means = sliding_means(fields, n_levels)
        if float(means.var(space).sum() / variance) < KEPT_VARIANCE:
            break
        n_levels += 1
    return n_levels


def solve_with_examples(
    target: Target,
    start: Tensor,
    prepared: Prepared,
    seeds: Sequence[Sequence[int]],
    *,
    tol: float,
    max_iter: int,
    demands: Demands,
) -> tuple[Tensor, Tensor, Tensor]:
    """Find a structure for every target of a block.

    Parameters
    ----------
    target : Target
    start : Tensor ``(sample, *space)``
        Initial labels.
    prepared : Prepared
    seeds : sequence of sequences of int
        Seed of the noise of each sample.
    tol : float
        Relative error below which statistics are no longer improved.
    max_iter : int
        Maximum number of rounds of the swaps at the end, per weight and pair of phases.
    demands : Demands
        Requirements in addition to the target.

    Returns
    -------
    labels : Tensor ``(sample, *space)``
    distance : Tensor ``(sample,)``
        Relative error of the statistics of the last voted fields, before the swaps at the end.
    n_iter : Tensor ``(sample,)``
        Number of votes.
    """
    grid, energies = target.grid, prepared.energies

    def loss(weight: float, fields: Tensor) -> Tensor:
        excess = (demands.loss(target, fields) - tol**2).clamp_min(0)
        return excess + weight * neighbourhood_energy(fields, energies, grid.periodic)

    def swapped(labels: Tensor, weight: float, rounds: int, held: Tensor | None) -> Tensor:
        fixed = None if held is None else held != FREE
        part = partial(loss, weight)
        return refine_simple(labels, part, grid.phases, periodic=grid.periodic, rounds=rounds, fixed=fixed)

    def nearest(fields: Tensor) -> Tensor:
        smoothed = fields + BLUR * neighbour_means(fields, grid.periodic)
        return nearest_labels(smoothed, target.counts, fixed=demands.fixed)

    voted = vote(target, start, prepared.stages, seeds, demands.fixed)
    finest, dictionary = prepared.stages[-1]
    again = Stage(0, finest.patch, TURN_VOTES, finest.stride)
    for _ in range(TURNS):
        labels = swapped(nearest(voted), WEIGHTS[0], TURN_ROUNDS, demands.fixed)
        voted = vote_again(labels, grid.phases, again, dictionary, grid.periodic, demands.fixed)
    distance = relative_error(target.statistics, target.of(voted)) if target.pairs else voted.new_zeros(len(voted))
    labels, held = demands.satisfied(target, nearest(voted))
    for weight in WEIGHTS:
        labels = swapped(labels, weight, max_iter, held)
    n_votes = sum(stage.n_iter for stage, _ in prepared.stages) + TURNS * TURN_VOTES
    return labels, distance, torch.full((len(start),), n_votes, device=start.device)
