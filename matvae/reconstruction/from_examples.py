"""Structures from statistics and examples: the vote of patches, exact volume fractions, and swaps of simple voxels.

2-point statistics within a cutoff do not determine networks, lamellae or percolation. Patches of examples bring these.
Then swaps, which bring the statistics closer, and votes at the finest level, which restore the patches, take turns. The
swaps at the end leave the topology as it is and the neighbourhoods of voxels as common as in the examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..given import given, refuse_mask
from ..grid import Grid
from ..stats import relative_error
from ..stats.map_samples import as_tensor
from .comparison import percolating
from .constraints import Percolates, connect
from .labels import FREE, indicators, nearest_labels
from .neighbourhoods import neighbour_means, neighbourhood_energy, neighbourhood_frequencies
from .objective import Demands
from .patches import Dictionary, build_dictionary
from .paths import crosses
from .pyramid import sliding_means
from .simple_swaps import refine_simple
from .stages import choose_stages
from .target import Target
from .voting import Stage, vote, vote_again

# Principal components by which patches are compared.
COMPONENTS = 24
# Turns of swaps and votes: the weight of the energy of neighbourhoods in the swaps, and the part of the labels that the
# vote keeps, so that later votes correct only what differs most from the patches.
TURNS = ((3e-2, 0.0), (3e-3, 0.3), (1e-3, 0.4))
# Weight of the energy in the swaps at the end.
LAST_WEIGHT = 3e-4
# Weight of the mean over neighbours when fields become labels.
BLUR = 0.3
# Share of the examples that a phase crosses from which it is to cross a structure: one as large as these, and one that
# is larger by the factor along each axis. What crosses most windows crosses nearly all larger ones, and vice versa.
CROSSED, CROSSED_LARGER, LARGER = 0.9, 0.5, 1.5


@dataclass(frozen=True)
class Effort:
    """Extent of votes and swaps.

    Parameters
    ----------
    n_patches : int
        Patches in the dictionary of each stage.
    votes : float
        Part of the votes of each stage.
    turn_votes : int
        Votes of each turn.
    turn_rounds, last_rounds : int
        Largest number of rounds of swaps of each turn, and at the end.
    first_share : float
        Part of the voxels that the first round may swap.
    """

    n_patches: int
    votes: float
    turn_votes: int
    turn_rounds: int
    last_rounds: int
    first_share: float


FULL = Effort(8192, 1.0, 2, 60, 100, 0.003)
# For one of many tiles of a large structure, whose statistics are averages over all of them.
QUICK = Effort(4096, 0.5, 1, 12, 25, 0.02)


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

    def prepare(self, seed: int, effort: Effort = FULL) -> Prepared:
        """Draw the patches of each stage, and count the neighbourhoods."""
        fields = indicators(self.labels, self.grid.phases)
        varying = fields[:, 1:] if self.grid.phases == 2 else fields
        stages = []
        for number, stage in enumerate(self.stages):
            # Three numbers, so that no structure begins with the same random numbers.
            rng = np.random.default_rng([seed, number, len(self.labels)])
            means, width = sliding_means(varying, stage.level), 2**stage.level
            stages.append((stage, build_dictionary(means, stage.patch, width, effort.n_patches, COMPONENTS, rng)))
        return Prepared(tuple(stages), neighbourhood_frequencies(self.labels, self.grid.phases), self._crossings())

    def _crossings(self) -> Percolates:
        """Phases, with an axis, that connect the two sides of nearly all examples, or of most smaller ones."""
        ratio = min(n / of for n, of in zip(self.grid.shape, self.labels.shape[1:], strict=True))
        if ratio < 1:
            return ()
        shares = percolating(self.labels.cpu().numpy(), self.grid.phases).mean(0)
        expected = np.argwhere(shares > (CROSSED_LARGER if ratio >= LARGER else CROSSED))
        return tuple((int(phase), int(axis)) for phase, axis in expected)


@dataclass(frozen=True)
class Prepared:
    """What the search takes from the examples.

    Parameters
    ----------
    stages : tuple of (Stage, Dictionary)
    frequencies : Tensor ``(phase, m, n)``
        Of neighbourhoods.
    crossings : tuple of (phase, axis)
        Phases that are expected to connect the two sides of an axis.
    """

    stages: tuple[tuple[Stage, Dictionary], ...]
    frequencies: Tensor
    crossings: Percolates = ()


def read_examples(examples: Any, patch: Any, grid: Grid, device: torch.device) -> Examples:
    """Check examples, and choose the stages of the vote.

    Parameters
    ----------
    examples : array of int ``(example, *space)``, `Structures`, path, or xarray.DataArray
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
    structures = given(examples)
    refuse_mask(structures.mask, "The given set of examples", "the vote of patches")
    edges = structures.known.get("voxel_size")
    same_unit = structures.known.get("unit") == grid.unit
    if edges and grid.voxel_size and same_unit and not np.allclose(edges, grid.voxel_size, rtol=1e-3):
        raise InputError(
            f"examples have voxels of {edges}, but those of the grid have {grid.voxel_size}: their patches would have "
            "another scale. Pass examples of the same voxel size."
        )
    examples = structures.array
    array = examples.cpu().numpy() if isinstance(examples, Tensor) else np.asarray(examples)
    if array.dtype.kind not in "biu" or array.ndim != grid.ndim + 1 or 0 in array.shape:
        raise InputError(
            f"examples must be integer labels (example, *space) with {grid.ndim} spatial axes like the grid, but an "
            f"array of shape {array.shape} and type {array.dtype} was given. Add an axis for a single example: X[None]."
        )
    found = np.unique(array).tolist()
    if found != list(range(grid.phases)):
        raise InputError(
            f"examples must hold all labels 0 to {grid.phases - 1} of the grid's {grid.phases} phases, and no others, "
            f"but {found[:10]} were found. Pass examples of the same material, or map their values to its phases."
        )
    labels = as_tensor(array.astype(np.uint8)).to(device)
    return Examples(labels, grid, choose_stages(labels, patch, grid))


def solve_with_examples(
    target: Target,
    start: Tensor,
    prepared: Prepared,
    seeds: Sequence[Sequence[int]],
    *,
    tol: float,
    max_iter: int,
    demands: Demands,
    effort: Effort = FULL,
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
        Maximum number of rounds of the swaps at the end, per pair of phases, if less than that of `effort`.
    demands : Demands
        Requirements in addition to the target.
    effort : Effort

    Returns
    -------
    labels : Tensor ``(sample, *space)``
    distance : Tensor ``(sample,)``
        Relative error of the statistics of the voted fields, before any swaps.
    n_iter : Tensor ``(sample,)``
        Number of votes.
    """
    stages = [(replace(stage, n_iter=ceil(effort.votes * stage.n_iter)), patches) for stage, patches in prepared.stages]
    voted = vote(target, start, stages, seeds, demands.fixed)
    distance = relative_error(target.statistics, target.of(voted)) if target.pairs else voted.new_zeros(len(voted))
    labels = with_expected_paths(_labels_of(voted, target, demands), target, prepared, demands)
    labels = settle(target, labels, prepared, TURNS, tol=tol, max_iter=max_iter, demands=demands, effort=effort)
    n_votes = sum(stage.n_iter for stage, _ in stages) + len(TURNS) * effort.turn_votes
    return labels, distance, torch.full((len(start),), n_votes, device=start.device)


def settle(
    target: Target,
    labels: Tensor,
    prepared: Prepared,
    turns: Sequence[tuple[float, float]],
    *,
    tol: float,
    max_iter: int,
    demands: Demands,
    effort: Effort,
) -> Tensor:
    """Bring structures closer to the target, and keep them made of patches: swaps and votes in turns, swaps at the end.

    Parameters
    ----------
    target, prepared, tol, max_iter, demands, effort
        As in `solve_with_examples`.
    labels : Tensor ``(sample, *space)``
        With the numbers of voxels of the target.
    turns : sequence of (float, float)
        See `TURNS`.

    Returns
    -------
    Tensor ``(sample, *space)``
    """
    grid, frequencies = target.grid, prepared.frequencies

    def loss(weight: float, fields: Tensor) -> Tensor:
        excess = (demands.loss(target, fields) - tol**2).clamp_min(0)
        return excess + weight * neighbourhood_energy(fields, frequencies, grid.periodic)

    def swapped(labels: Tensor, weight: float, rounds: int, held: Tensor | None) -> Tensor:
        return refine_simple(
            labels,
            partial(loss, weight),
            grid.phases,
            periodic=grid.periodic,
            rounds=rounds,
            fixed=None if held is None else held != FREE,
            first_share=effort.first_share,
        )

    finest, dictionary = prepared.stages[-1]
    again = Stage(0, finest.patch, effort.turn_votes, finest.stride)
    for weight, kept in turns:
        labels = swapped(labels, weight, effort.turn_rounds, demands.fixed)
        voted = vote_again(labels, grid.phases, again, dictionary, grid.periodic, demands.fixed)
        labels = _labels_of(voted + kept * (indicators(labels, grid.phases) - voted), target, demands)
    labels, held = demands.satisfied(target, with_expected_paths(labels, target, prepared, demands))
    return swapped(labels, LAST_WEIGHT, min(effort.last_rounds, max_iter), held)


def with_expected_paths(labels: Tensor, target: Target, prepared: Prepared, demands: Demands) -> Tensor:
    """Open missing paths of phases that cross the examples.

    A patch is smaller than the way across a structure: a single throat that the vote closes can separate two halves.
    Where voxels are fixed or paths are asked for, these decide instead.

    Parameters
    ----------
    labels : Tensor ``(sample, *space)``
    target, prepared, demands
        As in `solve_with_examples`.

    Returns
    -------
    Tensor ``(sample, *space)``
        With the numbers of voxels of the target.
    """
    if demands.fixed is not None or demands.percolates:
        return labels
    labels = labels.clone()
    for k, structure in enumerate(labels.cpu().numpy()):
        missing = [(phase, axis) for phase, axis in prepared.crossings if not crosses(structure == phase, axis)]
        if missing:
            labels[k : k + 1], _ = connect(labels[k : k + 1], target.counts[k : k + 1], tuple(missing), None)
    return labels


def _labels_of(fields: Tensor, target: Target, demands: Demands) -> Tensor:
    smoothed = fields + BLUR * neighbour_means(fields, target.grid.periodic)
    return nearest_labels(smoothed, target.counts, fixed=demands.fixed)
