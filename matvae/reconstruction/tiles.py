"""Large structures from examples, tile by tile, in memory that does not grow with the structure.

Tiles are realized in turns, so that no two neighbours belong to the same turn. Those of later turns continue the voxels
around them, which exist already; those of one turn do not depend on each other. As the existing voxels cannot move,
interfaces end there more often than elsewhere; a second sweep therefore settles tiles centred on corners of the first.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..grid import Grid
from ..stats.correlations import Pairs
from ..stats.exact_counts import whole_counts
from ..stats.threads import for_each
from .demands import read_demands
from .from_examples import QUICK, TURNS, read_examples, settle, solve_with_examples
from .labels import FREE, count_voxels, indicators
from .objective import Demands, Wanted
from .start import starting_labels
from .target import Target, read_target

# Edge of a tile in voxels, by the number of axes, and of the existing surroundings on each side of it.
EDGE = {1: 1 << 14, 2: 512, 3: 64}
MARGIN = {1: 64, 2: 24, 3: 8}
# Of the second sweep, in which only the borders of the first tiles are to change: with twice as many rounds of swaps,
# interfaces there were as frequent and statistics as close.
MEND = replace(QUICK, turn_rounds=6, last_rounds=12)
# Structures of more voxels than this are made of tiles.
MOST_VOXELS = 1 << 19


@dataclass(frozen=True)
class Tile:
    """A part of a structure.

    Parameters
    ----------
    number : int
        Position in the order of all tiles.
    start, stop : tuple of int
        First voxel along each axis, and the first one beyond.
    before, after : tuple of int
        Numbers of voxels on each side that exist when the turn of the tile comes.
    """

    number: int
    start: tuple[int, ...]
    stop: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    def place(self, shape: Sequence[int], *, core: bool = False) -> tuple[np.ndarray, ...]:
        """Index of the voxels of the box, or of the tile alone, in an array of the structure."""
        sides = self.box
        if core:
            sides = tuple(side[part] for side, part in zip(sides, self.core, strict=True))
        return np.ix_(*(np.array(side) % n for side, n in zip(sides, shape, strict=True)))

    @property
    def box(self) -> tuple[range, ...]:
        """Positions along each axis of the voxels of the tile and its surroundings; they may exceed the structure."""
        sides = zip(self.start, self.stop, self.before, self.after, strict=True)
        return tuple(range(start - before, stop + after) for start, stop, before, after in sides)

    @property
    def core(self) -> tuple[slice, ...]:
        """Place of the tile within its box."""
        sides = zip(self.start, self.stop, self.before, strict=True)
        return tuple(slice(before, before + stop - start) for start, stop, before in sides)


def is_tiled(shape: Sequence[int], periodic: bool) -> bool:
    """Return whether structures of this shape are made of tiles.

    Periodic structures are, if a tile and its surroundings fit into each axis twice.
    """
    edge, margin = EDGE[len(shape)], MARGIN[len(shape)]
    return math.prod(shape) > MOST_VOXELS and (not periodic or min(shape) >= min(edge, 4 * margin))


def turns(shape: Sequence[int], periodic: bool, edge: int, margin: int, *, again: bool = False) -> list[list[Tile]]:
    """Cut a structure into tiles, turn by turn.

    Parameters
    ----------
    shape : sequence of int
        Of the structure.
    periodic : bool
        Whether opposite sides join, so that tiles at both ends are neighbours.
    edge : int
        Of a tile, about.
    margin : int
        Voxels of the surroundings on each side.
    again : bool
        Whether the whole structure exists: tiles are then centred on the corners of the first ones, and have
        surroundings on all sides.
    """
    numbers = [max(2 if periodic else 1, round(n / edge)) for n in shape]
    axes = [_cuts(n, m, periodic, shifted=again) for n, m in zip(shape, numbers, strict=True)]
    by_turn: dict[tuple[int, ...], list[Tile]] = {}
    for number, place in enumerate(itertools.product(*(range(len(cuts)) for cuts in axes))):
        start, stop = zip(*(cuts[k] for k, cuts in zip(place, axes, strict=True)), strict=True)
        sides = [_existing(k, len(cuts), periodic, again) for k, cuts in zip(place, axes, strict=True)]
        before, after = (tuple(margin * exists for exists in side) for side in zip(*sides, strict=True))
        turn = tuple(_turn(k, len(cuts), periodic) for k, cuts in zip(place, axes, strict=True))
        by_turn.setdefault(turn, []).append(Tile(number, start, stop, before, after))
    # Along every axis a tile has surroundings only on sides of earlier turns, so whole boxes exist.
    return [by_turn[turn] for turn in sorted(by_turn)]


def _cuts(n: int, number: int, periodic: bool, *, shifted: bool) -> list[tuple[int, int]]:
    """First voxel of each tile along an axis, and the first one beyond, which may exceed `n` in a ring."""
    borders = [k * n // number for k in range(number + 1)]
    if shifted:
        middles = [(start + stop) // 2 for start, stop in itertools.pairwise(borders)]
        borders = [*middles, middles[0] + n] if periodic else [0, *middles, n]
    return list(itertools.pairwise(borders))


def _turn(place: int, number: int, periodic: bool) -> int:
    """Turn of a tile along one axis: neighbours take turns; an odd number of them in a ring needs a third."""
    return 2 if periodic and number % 2 and place == number - 1 else place % 2


def _existing(place: int, number: int, periodic: bool, again: bool) -> tuple[bool, bool]:
    """Whether there are neighbours before and after a tile along one axis, of earlier turns unless all exist."""
    exists = []
    for neighbour in (place - 1, place + 1):
        inside = periodic or 0 <= neighbour < number
        earlier = _turn(neighbour % number, number, periodic) < _turn(place, number, periodic)
        exists.append(inside and (again or earlier))
    return exists[0], exists[1]


def realize_tiles(
    statistics: Tensor,
    *,
    grid: Grid,
    pairs: Pairs,
    examples: Tensor,
    patch: Any = "auto",
    seed: Sequence[int],
    also: Sequence[Wanted] = (),
    tol: float = 1e-3,
    max_iter: int = 200,
) -> np.ndarray:
    """Realize one large structure from statistics and examples.

    Parameters
    ----------
    statistics : Tensor ``(1, *lag, correlation)``
        2-point statistics within a cutoff.
    grid : Grid
        Of the structure.
    pairs : sequence of (int, int)
        Along the last axis of `statistics`.
    examples : Tensor of uint8 ``(example, *space)``
    patch : ``"auto"``, int or sequence of int
        As in `reconstruct`.
    seed : sequence of int
        Tiles add their number.
    also : sequence of Wanted
        Further statistics of a single sample that are densities, i.e. do not depend on the size of a structure.
    tol, max_iter
        As in `reconstruct`, for each tile.

    Returns
    -------
    ndarray of uint8 ``(*space)``
        Every tile has the volume fractions of the statistics, to within one voxel.
    """
    edge, margin = max(EDGE[grid.ndim], *statistics.shape[1:-1]), MARGIN[grid.ndim]
    first, again = (turns(grid.shape, grid.periodic, edge, margin, again=again) for again in (False, True))
    sides = [[len(side) for side in tile.box] for tiles in (*first, *again) for tile in tiles]
    smallest = replace(grid, shape=tuple(map(min, zip(*sides, strict=True))), periodic=False)
    drawn = int(np.random.default_rng(seed).integers(2**31))
    prepared = read_examples(examples, patch, smallest, statistics.device).prepare(drawn, QUICK)
    structure = np.full(grid.shape, FREE, np.uint8)
    options: dict[str, Any] = {"tol": tol, "max_iter": max_iter}

    def begin(tile: Tile) -> None:
        known = structure[tile.place(grid.shape)]
        target, demands = _problem(known, statistics, grid, pairs, also)
        numbers = (*seed, tile.number)
        drawn = int(np.random.default_rng(numbers).integers(2**31))
        start = starting_labels(None, target, 1, drawn, 0, demands.fixed).to(statistics.device).long()
        labels, _, _ = solve_with_examples(target, start, prepared, [numbers], demands=demands, effort=QUICK, **options)
        keep(tile, labels)

    def mend(tile: Tile) -> None:
        known = structure[tile.place(grid.shape)]
        start = torch.from_numpy(known.astype(np.int64)).to(statistics.device).unsqueeze(0)
        known[tile.core] = FREE
        target, demands = _problem(known, statistics, grid, pairs, ())
        # The box has to remain as it is on average: only the patches on the borders of the first tiles are to change.
        fields = indicators(start, grid.phases)
        target = replace(target, statistics=target.of(fields), counts=count_voxels(start, grid.phases))
        keep(tile, settle(target, start, prepared, TURNS[:1], demands=demands, effort=MEND, **options))

    def keep(tile: Tile, labels: Tensor) -> None:
        structure[tile.place(grid.shape, core=True)] = labels[0].to(torch.uint8).cpu().numpy()[tile.core]

    for sweep, work in ((first, begin), (again, mend)):
        for tiles in sweep:
            for_each(tiles, work, workers=min(torch.get_num_threads(), len(tiles)))
    return structure


def _problem(
    known: np.ndarray, statistics: Tensor, grid: Grid, pairs: Pairs, also: Sequence[Wanted]
) -> tuple[Target, Demands]:
    """Target and demands of a box with `known` labels ``(*space)``, 255 where voxels are free.

    The free voxels get the volume fractions of the statistics.
    """
    target, _ = read_target(statistics, replace(grid, shape=known.shape, periodic=False), pairs, statistics.device)
    held = torch.from_numpy(known).to(statistics.device).unsqueeze(0)
    n_free = int((held == FREE).sum())
    free_counts = whole_counts(target.counts.double() * (n_free / known.size), n_free)
    target = replace(target, counts=count_voxels(held, grid.phases) + free_counts)
    demands = read_demands(target, also=also)
    return target, demands if n_free == known.size else replace(demands, fixed=held)
