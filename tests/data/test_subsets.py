"""Subsets are spread over the whole set and keep their properties."""

from __future__ import annotations

import numpy as np

from matvae import Grid, Structures
from matvae.data.subsets import select, spread_indices, within


def test_indices_are_spread_over_the_whole_set():
    assert spread_indices(5, 100).tolist() == [0, 1, 2, 3, 4]
    assert spread_indices(101, 5).tolist() == [0, 25, 50, 75, 100]
    assert len(spread_indices(1000, 100)) == 100


def test_positions_within_consecutive_blocks_select_every_sample_once():
    values, numbers = np.arange(100) * 3, np.array([0, 4, 9, 10, 57, 99])
    blocks = [values[start : start + 10][within(numbers, start, start + 10)] for start in range(0, 100, 10)]
    np.testing.assert_array_equal(np.concatenate(blocks), values[numbers])


def test_properties_follow_their_structures():
    X = np.arange(12).reshape(6, 2) % 2
    chosen = select(Structures(X, Grid((2,)), {"k": np.arange(6.0)}, {"k": "GPa"}), np.array([4, 1]))
    assert chosen.properties["k"].tolist() == [4.0, 1.0]
    assert chosen.units == {"k": "GPa"}
    np.testing.assert_array_equal(chosen.data.compute(), X[[4, 1]])
