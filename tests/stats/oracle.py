"""2-point statistics by definition: a sum over all pairs of voxels, computed lag by lag."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np


def lags(space: Sequence[int], periodic: bool, cutoff: int | Sequence[int] | None = None) -> list[range]:
    """Return the lags along each axis, in the order of the statistics."""
    if cutoff is not None:
        cutoffs = [cutoff] * len(space) if isinstance(cutoff, int) else cutoff
        return [range(-c, c + 1) for c in cutoffs]
    return [range(-(n // 2), n - n // 2) if periodic else range(1 - n, n) for n in space]


def direct_statistics(
    states: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    *,
    periodic: bool = True,
    cutoff: int | Sequence[int] | None = None,
    mask: np.ndarray | None = None,
) -> np.ndarray:
    """Compute ``(sample, *lag, correlation)`` from ``(sample, *space, state)`` in double precision."""
    space = states.shape[1:-1]
    weights = np.broadcast_to(np.ones(space) if mask is None else mask, states.shape[:-1]).astype(float)
    fields = states.astype(float) * weights[..., None]
    tails = np.indices(space).reshape(len(space), -1)
    axes = lags(space, periodic, cutoff)
    out = np.empty((len(states), *(len(axis) for axis in axes), len(pairs)))
    for index in itertools.product(*(range(len(axis)) for axis in axes)):
        lag = [axis[i] for axis, i in zip(axes, index, strict=True)]
        heads = tails + np.array(lag)[:, None]
        inside = np.ones(tails.shape[1], dtype=bool)
        for axis, n in enumerate(space):
            inside &= (heads[axis] >= 0) & (heads[axis] < n)
        if periodic:
            heads, inside = heads % np.array(space)[:, None], np.ones_like(inside)
        tail, head = tuple(tails[:, inside]), tuple(heads[:, inside])
        count = (weights[:, *tail] * weights[:, *head]).sum(1)
        for k, (first, second) in enumerate(pairs):
            out[(slice(None), *index, k)] = (fields[:, *tail, first] * fields[:, *head, second]).sum(1) / count
    return out
