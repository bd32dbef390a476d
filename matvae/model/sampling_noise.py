"""Sampling noise of the 2-point statistics of a window: how far another window of the same material may differ.

A window is a finite sample of its material, so that its statistics scatter about those of the material. Blocks of the
window scatter in the same way, only more: the variance of the whole is estimated from that of its blocks (method of
batch means).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ..stats import correlate
from ..stats.correlations import Pairs
from ..stats.lags import Cutoff

# Blocks along every axis.
BLOCKS = 2


def block_deviations(
    fields: Tensor, pairs: Pairs, *, periodic: bool, cutoff: Cutoff, statistics: Tensor | None = None
) -> Tensor:
    """Contributions of blocks of a window to the deviation of its statistics.

    Parameters
    ----------
    fields : Tensor ``(sample, state, *space)``
    pairs : sequence of (int, int)
        Indices on the state axis.
    periodic, cutoff
        As in `correlate`.
    statistics : Tensor ``(sample, *lag, correlation)``, optional
        Of these fields, if they are known.

    Returns
    -------
    Tensor ``(block, sample, *lag, correlation)``
        For each block, the sum over voxel pairs that begin in it of their product minus the mean product, divided by
        the number of voxel pairs of the whole window; the sum over the blocks is zero.
    """
    n_states, space = fields.shape[1], tuple(fields.shape[2:])
    sums_of = partial(correlate, periodic=periodic, cutoff=cutoff)
    if statistics is None:
        statistics = sums_of(fields, pairs)
    shifted = tuple((first, n_states + second) for first, second in pairs)
    ones = fields.new_ones(1, 1, *space)
    one = fields.new_ones(())
    total = sums_of(ones, ((0, 0),), counts=one)[0]
    deviations = []
    for block in _blocks(space):
        mask = torch.zeros_like(ones)
        mask[(slice(None), slice(None), *block)] = 1.0
        sums = sums_of(torch.cat([fields * mask, fields], dim=1), shifted, counts=one)
        counts = sums_of(torch.cat([mask, ones], dim=1), ((0, 1),), counts=one)[0]
        deviations.append((sums - statistics * counts) / total)
    return torch.stack(deviations)


def noise_covariance(deviations: Tensor) -> Tensor:
    """Covariance ``(score, score)`` of sampling noise from block deviations ``(block, sample, score)``."""
    n_blocks, n_samples, _ = deviations.shape
    rows = deviations.flatten(0, 1)
    return rows.T @ rows * (n_blocks / (n_blocks - 1) / n_samples)


def _blocks(space: Sequence[int]) -> list[tuple[slice, ...]]:
    cuts = [[round(k * n / BLOCKS) for k in range(BLOCKS + 1)] for n in space]
    ranges = [[slice(start, stop) for start, stop in itertools.pairwise(edges) if stop > start] for edges in cuts]
    return list(itertools.product(*ranges))
