"""Percolation: known paths, sides along and across the flow, the part that carries."""

from __future__ import annotations

import numpy as np
import pytest

from matvae_taufactor import percolating


def plane(*rows: str) -> np.ndarray:
    return np.array([[voxel == "#" for voxel in row] for row in rows])


def test_only_what_is_connected_to_both_sides_is_kept():
    inside = plane("#..#.", "##.#.", "#....", "#.#.#")
    kept = plane("#....", "##...", "#....", "#....")
    np.testing.assert_array_equal(percolating(inside, periodic=False), kept)


def test_corners_are_no_connection():
    assert not percolating(plane("#.", ".#"), periodic=False).any()


def test_path_across_periodic_sides():
    inside = plane("#...", "#..#", "...#")
    assert not percolating(inside, periodic=False).any()
    np.testing.assert_array_equal(percolating(inside, periodic=True), inside)


def test_periodicity_along_the_axis_does_not_count():
    """One layer is missing: around the sides it would be connected."""
    assert not percolating(plane("##", "..", "##"), periodic=True).any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_axis(axis):
    rod = np.zeros((3, 4, 5), bool)
    rod[tuple(slice(None) if i == axis else 1 for i in range(3))] = True
    for other in range(3):
        np.testing.assert_array_equal(percolating(rod, other), rod if other == axis else np.zeros_like(rod))


def test_whole_phase_and_none():
    assert percolating(np.ones((3, 2), bool)).all()
    assert not percolating(np.zeros((3, 2), bool)).any()
    assert percolating(np.ones(3, bool)).all()
