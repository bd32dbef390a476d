from __future__ import annotations

import numpy as np
import pytest

from matvae.reconstruction.paths import crosses, path_through


def box(*rows: str) -> np.ndarray:
    return np.array([[letter == "#" for letter in row] for row in rows])


def test_a_phase_crosses_by_shared_faces_only():
    straight = box("..#.", "..#.", "..#.")
    assert crosses(straight, 0)
    assert not crosses(straight, 1)
    assert not crosses(box("#..", ".#.", "..#"), 0)


def test_connections_across_the_periodic_boundary_do_not_count():
    assert not crosses(box("#....", ".....", "#...."), 0)
    assert not crosses(box("#...", "...#", "...#"), 0)


def test_a_path_in_a_volume_leads_from_the_first_layer_to_the_last():
    rng = np.random.default_rng(0)
    inside = rng.random((7, 8, 9)) < 0.4
    for axis, n in enumerate(inside.shape):
        path = np.stack(np.unravel_index(path_through(inside, np.ones_like(inside), axis), inside.shape), axis=1)
        assert path[0, axis] == 0
        assert path[-1, axis] == n - 1
        # Consecutive voxels share a face.
        assert (np.abs(np.diff(path, axis=0)).sum(1) == 1).all()


def test_a_path_has_the_fewest_voxels_outside_the_phase():
    inside = box("###.#", "..#..", "..##.", "...#.", "...#.")
    assert len(path_through(inside, np.ones_like(inside), 0)) == 6
    gap = box("#....", "#....", ".....", "#....", "##...")
    path = path_through(gap, np.ones_like(gap), 0)
    assert np.count_nonzero(~gap.ravel()[path]) == 1
    assert path.tolist() == [0, 5, 10, 15, 20]


def test_a_winding_path_within_the_phase_is_preferred_unless_a_straight_one_is_requested():
    inside = box("#....", "#####", "....#", "#####", "#....")
    path = path_through(inside, np.ones_like(inside), 0)
    assert inside.ravel()[path].all()
    assert len(path) == 13
    assert len(path_through(inside, np.ones_like(inside), 0, straight=True)) == 5


@pytest.mark.parametrize("axis", [0, 1])
def test_the_result_is_none_if_no_path_is_allowed(axis):
    allowed = np.ones((5, 5), bool)
    allowed[2, :] = allowed[:, 2] = False
    assert path_through(np.zeros((5, 5), bool), allowed, axis) is None
