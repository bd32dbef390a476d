"""Measures in words and numbers, and elongation of structures whose orientation is known."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.explore.measures import elongations, measured, measures_of


def test_of_two_phases_the_second_is_measured_and_lengths_have_the_unit_of_the_grid():
    measures = measures_of(Grid((8, 8), voxel_size=0.5, unit="micrometer"))
    assert [m.name for m in measures] == [
        "volume_fraction(phase=1)",
        "specific_surface(phase=1)",
        "correlation_length(phase=1)",
    ]
    assert [m.unit for m in measures] == ["", "1/micrometer", "micrometer"]
    assert len(measures_of(Grid((8, 8), phases=3))) == 9
    assert measures_of(Grid((8, 8), phases=1)) == []


def test_values_are_those_of_the_structures():
    bars = np.zeros((1, 4, 8), np.uint8)
    bars[0, 1] = 1
    grid = Grid((4, 8))
    values = measured(measures_of(grid), bars, grid)
    assert values[0, 0] == 8 / 32
    assert measured([], bars, grid).shape == (1, 0)


def test_bars_are_elongated_along_themselves():
    along_x = np.zeros((1, 6, 9), np.uint8)
    along_x[0, 2] = 1
    structures = np.concatenate([along_x, np.zeros_like(along_x)])
    found = elongations(structures, Grid((6, 9)))
    assert list(found) == ["x"]
    assert found["x"][0] == 1
    assert np.isnan(found["x"][1])
    (across,) = elongations(along_x.transpose(0, 2, 1), Grid((9, 6)))["x"]
    assert across == -1


def test_in_a_volume_every_axis_counts():
    plates = np.zeros((1, 4, 5, 6), np.uint8)
    plates[0, :, :, 2] = 1
    found = elongations(plates, Grid((4, 5, 6)))
    # Lines along x cross the plate, the others do not.
    assert found["x"][0] == -1
    assert found["y"][0] == found["z"][0] == pytest.approx(1)
    assert elongations(plates[0, 0], Grid((6,))) == {}
