from __future__ import annotations

import numpy as np
import pytest

from matvae.stats import get_statistic
from matvae.testing.structures import PHASES, SHAPES, columns_of, coordinates_of, labels_of, states_of


@pytest.mark.parametrize("shape", SHAPES)
def test_every_phase_occurs_in_every_sample(shape):
    labels = labels_of(shape)
    assert labels.shape == (4, *shape)
    for sample in labels:
        assert np.unique(sample).tolist() == list(range(PHASES))
    np.testing.assert_array_equal(states_of(labels).argmax(-1), labels)


def test_columns_and_coordinates_are_those_of_the_statistic():
    assert columns_of(get_statistic("lineal_path")) == 3
    assert columns_of(get_statistic("two_point")) == 3
    coordinates = coordinates_of(get_statistic("two_point"), (6, 5), periodic=False)
    assert list(coordinates) == ["lag_y", "lag_x"]
    assert coordinates["lag_x"].tolist() == list(range(-4, 5))
