"""Percolation along known paths, with and without periodic sides."""

from __future__ import annotations

import numpy as np
import pytest

from matvae_taufactor import percolating


def image(*rows: str) -> np.ndarray:
    return np.array([[voxel == "#" for voxel in row] for row in rows])


def test_only_voxels_connected_to_both_sides_are_kept():
    inside = image("#..#.", "##.#.", "#....", "#.#.#")
    expected = image("#....", "##...", "#....", "#....")
    np.testing.assert_array_equal(percolating(inside, periodic=False), expected)


def test_corners_do_not_connect():
    assert not percolating(image("#.", ".#"), periodic=False).any()


def test_path_crosses_periodic_sides():
    inside = image("#...", "#..#", "...#")
    assert not percolating(inside, periodic=False).any()
    np.testing.assert_array_equal(percolating(inside, periodic=True), inside)


def test_periodicity_along_the_axis_is_ignored():
    """The sides are connected only across the periodic boundary."""
    assert not percolating(image("##", "..", "##"), periodic=True).any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_rod_percolates_along_its_axis_only(axis):
    rod = np.zeros((3, 4, 5), bool)
    rod[tuple(slice(None) if i == axis else 1 for i in range(3))] = True
    for other in range(3):
        np.testing.assert_array_equal(percolating(rod, other), rod if other == axis else np.zeros_like(rod))


def test_full_structures_percolate_and_empty_ones_do_not():
    assert percolating(np.ones((3, 2), bool)).all()
    assert not percolating(np.zeros((3, 2), bool)).any()
    assert percolating(np.ones(3, bool)).all()
