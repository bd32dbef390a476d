from __future__ import annotations

import numpy as np
import pytest

from matvae.stats.labelling import label_clusters

from .samples import SHAPES
from .walk import flood


@pytest.mark.parametrize("space", [*SHAPES, (1, 5), (2, 2, 1)])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_clusters_are_those_of_a_walk(space, periodic, share):
    rng = np.random.default_rng(0)
    for connectivity in range(1, len(space) + 1):
        for _ in range(5):
            inside = rng.random(space) < share
            labels, n_clusters = label_clusters(inside, connectivity, periodic)
            walked = flood(inside, connectivity, periodic)
            assert n_clusters == walked.max()
            # The same partition: every label of one goes with one label of the other.
            assert len(set(zip(labels.ravel(), walked.ravel(), strict=True))) == len(np.unique(walked))
            np.testing.assert_array_equal(labels == 0, ~inside)


def test_sides_and_corners_of_a_torus_touch():
    corners = np.zeros((6, 6), bool)
    corners[[0, 0, -1, -1], [0, -1, 0, -1]] = True
    assert label_clusters(corners, 1, periodic=True)[1] == 1
    assert label_clusters(corners, 1, periodic=False)[1] == 4
    diagonal = np.zeros((6, 6), bool)
    diagonal[[0, -1], [0, -1]] = True
    assert label_clusters(diagonal, 1)[1] == 2
    assert label_clusters(diagonal, 2)[1] == 1
