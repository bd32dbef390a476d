"""Stages of the vote: the levels at which examples vary, and the size of their patches.

Box means vary as long as the boxes are not much larger than the features; levels beyond tell nothing about a structure.
Networks and grains take large patches, in which several features meet, lamellae and other thin features small ones.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from ..errors import InputError
from ..grid import Grid
from ..validate import is_integer
from .labels import indicators
from .pyramid import level_shape, sliding_means
from .voting import Stage

# Levels are used as long as box means keep this part of the variance of the phases.
KEPT_VARIANCE = 0.2
# Edges of patches by level, from the finest, and the edge at levels beyond and in materials with thin features, i.e.
# with the finest two levels only. Every finest level ends with patches of the latter edge.
EDGES, SMALL_EDGE, LEAST_EDGE = (11, 11, 9), 7, 3
# Votes by level, from the finest, and at levels beyond.
VOTES, MORE_VOTES = (6, 20), 40
# A level with fewer positions of patches than this would make all structures alike.
FEWEST_POSITIONS = 200


def choose_stages(labels: Tensor, patch: Any, grid: Grid) -> tuple[Stage, ...]:
    """Choose levels, patches, numbers of votes and strides.

    Parameters
    ----------
    labels : Tensor ``(example, *space)``
        Examples.
    patch : ``"auto"``, int, or sequence of int
        Edge of the patches in voxels of their level: the same for all levels, or by level from the finest one.
    grid : Grid
        Grid of the structures to build.

    Raises
    ------
    InputError
        If `patch` is something else, or patches fit neither the grid nor the examples.
    """
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
    elif is_integer(patch) and patch >= LEAST_EDGE:
        wished = [int(patch)] * _levels(labels, grid)
    elif isinstance(patch, tuple | list) and patch and all(is_integer(edge) and edge >= LEAST_EDGE for edge in patch):
        wished = [int(edge) for edge in patch]
    else:
        raise InputError(
            f"patch must be 'auto', an edge of at least {LEAST_EDGE} voxels, or a list of such edges by level from the "
            f"finest, but {patch!r} was given."
        )
    edges: list[int] = []
    for level, edge in enumerate(wished):
        most = min(*level_shape(grid.shape, level), *(n // 2**level for n in labels.shape[1:]))
        if isinstance(patch, str) and level == 0 and most >= LEAST_EDGE:
            edge = min(edge, most)
        if edge > most and (level == 0 or isinstance(patch, tuple | list)):
            raise InputError(
                f"Patches of {edge} voxels of width {2**level} must fit both the grid {grid.shape} and the examples "
                f"{tuple(labels.shape[1:])}, but at most {most} do. Pass a smaller patch, or larger examples."
            )
        positions = len(labels) * math.prod(max(0, n - edge * 2**level + 1) for n in labels.shape[1:])
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
