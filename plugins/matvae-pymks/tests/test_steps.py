"""Steps between structures and a reducer, and their inverses."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from matvae.errors import InputError
from matvae_pymks import TwoPointCorrelation
from matvae_pymks.steps import StatisticsCheck, StructureStatistics


def test_statistics_equal_those_of_pymks():
    states = np.eye(3)[np.random.default_rng(0).integers(0, 3, (4, 6, 5))]
    pairs = [(1, 1), (1, 2)]
    ours = StructureStatistics(pairs, False, 2, (6, 5), n_state=3).fit(states).transform(states)
    theirs = TwoPointCorrelation(pairs, False, 2).fit(states).transform(states)
    np.testing.assert_array_equal(ours, theirs)


def test_structures_of_another_shape_are_refused():
    """With a cutoff their statistics would have the right shape nevertheless."""
    step = StructureStatistics([(1, 1)], True, 1, (4, 4), n_state=2)
    with pytest.raises(InputError, match=r"Structures of shape \(4, 4\) are expected.* shape \(8, 6\) were given"):
        step.transform(np.zeros((3, 8, 6, 2)))


def test_labels_are_converted_to_states_for_numpy_and_dask():
    labels = np.random.default_rng(0).integers(0, 3, (4, 6, 5), dtype=np.uint8)
    step = StructureStatistics(None, True, 2, (6, 5), n_state=3)
    np.testing.assert_array_equal(step.inverse_transform(labels), np.eye(3)[labels])
    lazy = step.inverse_transform(da.from_array(labels, chunks=(3, 6, 5)))
    assert lazy.shape == (4, 6, 5, 3)
    np.testing.assert_array_equal(lazy.compute(), np.eye(3)[labels])


def test_inverse_of_the_check_returns_structures_unchanged():
    labels = np.zeros((2, 4, 4), np.uint8)
    assert StatisticsCheck((4, 4)).fit(None).inverse_transform(labels) is labels
