"""Correlations with the phase that is one minus all others, by subtraction instead of transforms.

On the torus, with n_i voxels of state i among N, the sums over voxel pairs of the rest R = 1 - sum_i m_i are

    s_iR[r] = n_i - sum_j s_ij[r],    s_Ri[r] = n_i - sum_j s_ji[r],    s_RR[r] = N - sum_i n_i - sum_i s_iR[r],

(Niezgoda, Fullwood & Kalidindi, Acta Materialia 56, 5285 (2008), section 3), where s_ji[r] = s_ij[-r].
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from .correlations import Pairs

Ranges = Sequence[tuple[int, int]]


def rest_follows(pairs: Pairs, rest: int) -> bool:
    """Whether the pairs that name the rest follow from those that do not."""
    known = {frozenset(pair) for pair in pairs if rest not in pair}
    others = {state for pair in pairs if rest in pair for state in pair if state != rest}
    if (rest, rest) in pairs:
        others = set(range(rest))
    return all(frozenset((one, other)) in known for one in others for other in range(rest))


def fill_rest(sums: Tensor, pairs: Pairs, volumes: Tensor, n_voxels: int, ranges: Ranges) -> None:
    """Fill in the sums of the pairs that name the rest.

    Parameters
    ----------
    sums : Tensor ``(sample, pair, *lag)``
        Sums over voxel pairs, of which those that name the rest are overwritten.
    pairs : sequence of (int, int)
        Of these sums; the rest has the highest index.
    volumes : Tensor ``(sample, state)``
        Number (or weight) of voxels of every other state.
    n_voxels : int
        Number of voxels of a structure.
    ranges : sequence of (int, int)
        Numbers of negative and of other lags along each axis.
    """
    rest = volumes.shape[1]
    place = {pair: k for k, pair in enumerate(pairs)}
    for k, (first, second) in enumerate(pairs):
        if rest in (first, second) and first != second:
            _fill_row(sums[:, k], sums, place, (first, second), volumes, ranges)
    for k, pair in enumerate(pairs):
        if pair == (rest, rest):
            _set(sums[:, k], n_voxels - volumes.sum(1))
            for state in range(rest):
                if (state, rest) in place:
                    row = sums[:, place[state, rest]]
                else:
                    row = torch.empty_like(sums[:, k])
                    _fill_row(row, sums, place, (state, rest), volumes, ranges)
                sums[:, k].sub_(row)


def _fill_row(
    row: Tensor, sums: Tensor, place: dict[tuple[int, int], int], pair: tuple[int, int], volumes: Tensor, ranges: Ranges
) -> None:
    """Sums of a state and the rest, in this order or the other."""
    rest = volumes.shape[1]
    state = min(pair)
    _set(row, volumes[:, state])
    for other in range(rest):
        wanted = (state, other) if pair[1] == rest else (other, state)
        if wanted in place:
            row.sub_(sums[:, place[wanted]])
        else:
            _subtract_reversed(row, sums[:, place[wanted[::-1]]], ranges)


def _set(row: Tensor, values: Tensor) -> None:
    row.copy_(values.view(-1, *[1] * (row.ndim - 1)).expand_as(row))


def _subtract_reversed(row: Tensor, sums: Tensor, ranges: Ranges) -> None:
    """Subtract sums at minus each lag. On an even axis the lag -N/2 is its own negative."""
    pieces: list[list[tuple[int, int, bool]]] = []
    for negative, positive in ranges:
        lone = 1 if negative == positive else 0
        pieces.append([(lone, negative + positive - lone, True), *([(0, 1, False)] if lone else [])])
    for choice in itertools.product(*pieces):
        target, source, flipped = row, sums, []
        for axis, (start, length, turns) in enumerate(choice, start=1):
            target, source = target.narrow(axis, start, length), source.narrow(axis, start, length)
            if turns:
                flipped.append(axis)
        target.sub_(torch.flip(source, flipped))
