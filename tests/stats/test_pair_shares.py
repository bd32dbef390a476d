"""Voxel pairs that a mask leaves, relative to a whole structure, against a count of pairs one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from matvae.stats import block_size
from matvae.stats.pair_shares import pair_shares


def counted(mask: np.ndarray, periodic: bool, cutoff: int) -> float:
    """Smallest share of pairs of one mask, by a loop over lags."""
    shares = []
    for lag in itertools.product(range(-cutoff, cutoff + 1), repeat=mask.ndim):
        pairs = total = 0
        for start in np.ndindex(mask.shape):
            end = tuple(s + r for s, r in zip(start, lag, strict=True))
            if periodic:
                end = tuple(e % n for e, n in zip(end, mask.shape, strict=True))
            if all(0 <= e < n for e, n in zip(end, mask.shape, strict=True)):
                total += 1
                pairs += bool(mask[start] and mask[end])
        shares.append(pairs / total)
    return min(shares)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("space", [(9,), (5, 7), (3, 5, 4)])
def test_shares_equal_those_of_a_loop_over_pairs(space, periodic):
    masks = np.random.default_rng(0).random((4, *space)) < 0.8
    masks[1] = True
    shares = pair_shares(masks, periodic=periodic, cutoff=1)
    np.testing.assert_allclose(shares, [counted(mask, periodic, 1) for mask in masks], rtol=1e-12)
    assert shares[1] == 1
    with block_size(1):
        np.testing.assert_array_equal(pair_shares(masks, periodic=periodic, cutoff=1), shares)


def test_a_strip_without_pairs_across_it_has_none():
    mask = np.zeros((2, 6, 8), bool)
    mask[0, :2], mask[1] = True, True
    mask[1, 0, 0] = False
    assert pair_shares(mask, periodic=False, cutoff=2)[0] == 0
    assert pair_shares(mask, periodic=False, cutoff=(1, 2))[0] == pytest.approx(1 / 5)
    # A corner is the end of one of the 24 pairs that are two rows and two columns apart; of the only one at (5, 7).
    np.testing.assert_allclose(pair_shares(mask, periodic=False, cutoff=2)[1], 1 - 1 / 24)
    assert pair_shares(mask, periodic=False, cutoff=None)[1] == 0
