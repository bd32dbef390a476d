"""Coordinates of the built-in statistics: they match the axes of the results for all options."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.stats import get_statistic, lag_radii, two_point_stats

from .samples import labels_of

CASES = [
    ("two_point", {"cutoff": 2}, ["lag_y", "lag_x"]),
    ("two_point", {"periodic": False, "cutoff": (1, 3)}, ["lag_y", "lag_x"]),
    ("pair_correlation", {"periodic": False}, ["radius"]),
    ("pair_correlation", {"bins": 4, "cutoff": 2, "max_radius": 2.5}, ["radius"]),
    ("pair_correlation", {"voxel_size": (0.5, 0.2)}, ["radius"]),
    ("lineal_path", {"cutoff": 3}, ["length"]),
    ("lineal_path", {"axis": 0, "periodic": False}, ["length"]),
    ("chord_length", {"axis": -1}, ["length"]),
    ("chord_length", {"periodic": False}, ["length"]),
    ("cluster", {"connectivity": 2, "cutoff": (2, 1)}, ["lag_y", "lag_x"]),
    ("chord_length", {"voxel_size": (0.5, 0.2)}, ["length"]),
    ("variogram", {}, ["lag_y", "lag_x"]),
    ("variogram", {"cutoff": (2, 1), "periodic": False}, ["lag_y", "lag_x"]),
    ("surface_area", {"isotropic": False, "voxel_size": 0.5}, []),
]


@pytest.mark.parametrize(("name", "options", "names"), CASES)
def test_coordinates_have_the_lengths_of_the_result(name, options, names):
    statistic = get_statistic(name)
    coordinates = statistic.coordinates((6, 7), ("y", "x"), **options)
    assert list(coordinates) == names
    result = statistic(labels_of((6, 7)), phases=3, **options)
    assert result.shape == (4, *(len(values) for values in coordinates.values()), 3)


@pytest.mark.parametrize("name", ["two_point", "cluster", "lineal_path", "pair_correlation"])
@pytest.mark.parametrize("periodic", [True, False])
def test_the_value_at_coordinate_zero_is_the_volume_fraction(name, periodic):
    labels = labels_of((6, 7), phases=2)
    statistic = get_statistic(name)
    result = statistic(labels, periodic=periodic)[..., -1]
    for values in statistic.coordinates((6, 7), ("y", "x"), periodic=periodic).values():
        result = result.take(int(np.flatnonzero(values == 0)[0]), 1)
    np.testing.assert_allclose(result, labels.mean((1, 2)), atol=1e-6)


def test_lengths_start_at_the_first_length_of_the_statistic():
    assert get_statistic("lineal_path").coordinates((6, 7), ("y", "x"))["length"].tolist() == list(range(6))
    assert get_statistic("chord_length").coordinates((6, 7), ("y", "x"))["length"].tolist() == list(range(1, 7))
    radii = get_statistic("pair_correlation").coordinates((6, 7), ("y", "x"), voxel_size=2.0)["radius"]
    np.testing.assert_array_equal(radii, lag_radii((6, 7), voxel_size=2.0))


def test_coordinates_give_the_position_of_a_lag():
    labels = labels_of((6, 7), phases=2)
    lags = get_statistic("two_point").coordinates((6, 7), ("y", "x"), periodic=False)
    f = two_point_stats(labels, periodic=False)[0, ..., 0]
    inside = labels[0] == 1
    pairs = inside[:-2, 3:] & inside[2:, :-3]
    position = np.flatnonzero(lags["lag_y"] == 2)[0], np.flatnonzero(lags["lag_x"] == -3)[0]
    assert f[position] == pytest.approx(pairs.mean(), abs=1e-6)
