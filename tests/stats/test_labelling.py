from __future__ import annotations

import numpy as np
import pytest

from matvae.stats.labelling import count_clusters, label_clusters

from .flood import flood
from .samples import SHAPES


@pytest.mark.parametrize("space", [*SHAPES, (1, 5), (2, 2, 1)])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("volume_fraction", [0.0, 0.3, 0.5, 1.0])
def test_clusters_equal_those_of_a_flood_fill(space, periodic, volume_fraction):
    rng = np.random.default_rng(0)
    for connectivity in range(1, len(space) + 1):
        for _ in range(5):
            inside = rng.random(space) < volume_fraction
            labels, n_clusters = label_clusters(inside, connectivity, periodic)
            filled = flood(inside, connectivity, periodic)
            assert n_clusters == filled.max()
            # The partitions are equal if each label of one corresponds to one label of the other.
            assert len(set(zip(labels.ravel(), filled.ravel(), strict=True))) == len(np.unique(filled))
            np.testing.assert_array_equal(labels == 0, ~inside)


def test_opposite_sides_and_corners_of_a_periodic_structure_touch():
    corners = np.zeros((6, 6), bool)
    corners[[0, 0, -1, -1], [0, -1, 0, -1]] = True
    assert label_clusters(corners, 1, periodic=True)[1] == 1
    assert label_clusters(corners, 1, periodic=False)[1] == 4
    diagonal = np.zeros((6, 6), bool)
    diagonal[[0, -1], [0, -1]] = True
    assert label_clusters(diagonal, 1)[1] == 2
    assert label_clusters(diagonal, 2)[1] == 1


def test_clusters_are_counted_in_every_phase():
    labels = np.zeros((2, 6, 6), np.uint8)
    labels[0, 1, 1] = labels[0, 3, 3] = 1
    labels[1, :, 2] = 2
    assert count_clusters(labels, 3, periodic=False).tolist() == [[1, 2, 0], [2, 0, 1]]
    assert count_clusters(labels, 3).tolist() == [[1, 2, 0], [1, 0, 1]]
