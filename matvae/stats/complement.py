"""Correlations with the complementary phase, one minus all others, by subtraction instead of Fourier transforms.

In a periodic structure of N voxels, n_i of them in state i, the sums over voxel pairs that involve the complement
R = 1 - sum_i m_i are

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


def complement_follows(pairs: Pairs, complement: int) -> bool:
    """Return whether the pairs that contain the complement follow from those that do not."""
    computed = {frozenset(pair) for pair in pairs if complement not in pair}
    partners = {state for pair in pairs if complement in pair for state in pair if state != complement}
    if (complement, complement) in pairs:
        partners = set(range(complement))
    return all(frozenset((state, other)) in computed for state in partners for other in range(complement))


def fill_complement(sums: Tensor, pairs: Pairs, volumes: Tensor, n_voxels: int, ranges: Ranges) -> None:
    """Fill in the sums of the pairs that contain the complement.

    Parameters
    ----------
    sums : Tensor ``(sample, pair, *lag)``
        Sums over voxel pairs; those of pairs that contain the complement are overwritten.
    pairs : sequence of (int, int)
        Pairs of states; the complement has the highest index.
    volumes : Tensor ``(sample, state)``
        Number (or weight) of voxels in each of the other states.
    n_voxels : int
        Number of voxels in a structure.
    ranges : sequence of (int, int)
        Numbers of negative and of non-negative lags along each axis.
    """
    complement = volumes.shape[1]
    indices = {pair: k for k, pair in enumerate(pairs)}
    for k, (first, second) in enumerate(pairs):
        if complement in (first, second) and first != second:
            _fill_cross_sum(sums[:, k], sums, indices, (first, second), volumes, ranges)
    for k, pair in enumerate(pairs):
        if pair == (complement, complement):
            _set(sums[:, k], n_voxels - volumes.sum(1))
            for state in range(complement):
                if (state, complement) in indices:
                    cross_sum = sums[:, indices[state, complement]]
                else:
                    cross_sum = torch.empty_like(sums[:, k])
                    _fill_cross_sum(cross_sum, sums, indices, (state, complement), volumes, ranges)
                sums[:, k].sub_(cross_sum)


def _fill_cross_sum(
    cross_sum: Tensor,
    sums: Tensor,
    indices: dict[tuple[int, int], int],
    pair: tuple[int, int],
    volumes: Tensor,
    ranges: Ranges,
) -> None:
    """Fill in the sum of a pair of a state and the complement, in either order."""
    complement = volumes.shape[1]
    state = min(pair)
    _set(cross_sum, volumes[:, state])
    for other in range(complement):
        term = (state, other) if pair[1] == complement else (other, state)
        if term in indices:
            cross_sum.sub_(sums[:, indices[term]])
        else:
            _subtract_inverted(cross_sum, sums[:, indices[term[::-1]]], ranges)


def _set(sums: Tensor, values: Tensor) -> None:
    sums.copy_(values.view(-1, *[1] * (sums.ndim - 1)).expand_as(sums))


def _subtract_inverted(target: Tensor, sums: Tensor, ranges: Ranges) -> None:
    """Subtract the sums at the inverse of each lag. Along an even periodic axis, lag -N/2 is its own inverse."""
    pieces: list[list[tuple[int, int, bool]]] = []
    for negative, positive in ranges:
        unpaired = 1 if negative == positive else 0
        inverted = (unpaired, negative + positive - unpaired, True)
        pieces.append([inverted, *([(0, 1, False)] if unpaired else [])])
    for choice in itertools.product(*pieces):
        part, source, flipped_axes = target, sums, []
        for axis, (start, length, flips) in enumerate(choice, start=1):
            part, source = part.narrow(axis, start, length), source.narrow(axis, start, length)
            if flips:
                flipped_axes.append(axis)
        part.sub_(torch.flip(source, flipped_axes))
