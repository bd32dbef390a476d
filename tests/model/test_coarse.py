from __future__ import annotations

import math
from itertools import product

import pytest
import torch

from matvae.model.coarse import coarsen, coarsen_statistics, coarsest, level_at, levels
from matvae.stats import correlate


@pytest.mark.parametrize(
    ("shape", "factors"),
    [((32, 32), (1, 1)), ((64, 64), (1, 1)), ((224, 224), (8, 8)), ((40, 66, 128), (1, 2, 4)), ((100,), (4,))],
)
def test_axes_longer_than_64_are_halved_while_they_are_even(shape, factors):
    assert coarsest(shape) == factors


def test_every_level_is_twice_as_fine_as_the_one_before():
    assert levels((8, 2)) == [(8, 2), (4, 1), (2, 1)]
    assert levels((1, 1)) == []


def test_levels_share_the_coarse_part_of_the_training_equally():
    # Each of the three levels takes up 0.2 of the coarse part of 0.6.
    factors = [level_at((8, 8), progress, 0.6) for progress in (0.0, 0.19, 0.21, 0.39, 0.41, 0.59, 0.6, 1.0)]
    assert factors == [(8, 8), (8, 8), (4, 4), (4, 4), (2, 2), (2, 2), None, None]
    assert level_at((8, 8), 0.0, 0.0) is None
    assert level_at((1, 1), 0.0, 0.7) is None
    # Just before the end of the coarse part, the finest coarse grid is still in use.
    assert level_at((8, 8), math.nextafter(0.9, 0), 0.9) == (2, 2)


def test_blocks_are_averaged():
    fields = torch.arange(16.0).view(1, 1, 2, 8)
    assert coarsen(fields, (2, 4)).tolist() == [[[[5.5, 9.5]]]]
    assert coarsen(torch.arange(6.0).view(1, 1, 6), (3,)).tolist() == [[[1.0, 4.0]]]


@pytest.mark.parametrize(
    ("shape", "factors"), [((12,), (3,)), ((8, 6), (4, 2)), ((8, 6), (1, 3)), ((4, 6, 4), (2, 2, 1))]
)
def test_coarse_statistics_are_the_mean_over_all_positions_of_the_blocks(labels, shape, factors):
    phase = labels(3, shape).double().unsqueeze(1)
    fields = torch.cat([1 - phase, phase], dim=1)
    pairs, axes = ((1, 1), (0, 1)), tuple(range(2, 2 + len(shape)))
    by_position = [
        correlate(coarsen(fields.roll(shift, axes), factors), pairs, periodic=True, cutoff=None)
        for shift in product(*map(range, factors))
    ]
    f = correlate(fields, pairs, periodic=True, cutoff=None)
    torch.testing.assert_close(coarsen_statistics(f, factors), torch.stack(by_position).mean(0))


def test_the_mean_of_coarse_statistics_is_the_squared_volume_fraction(labels):
    phase = labels(3, (16, 8)).double().unsqueeze(1)
    f = correlate(phase, ((0, 0),), periodic=True, cutoff=None)
    coarse = coarsen_statistics(f, (4, 2)).mean((1, 2))[:, 0]
    torch.testing.assert_close(coarse, phase.mean((2, 3))[:, 0] ** 2)
