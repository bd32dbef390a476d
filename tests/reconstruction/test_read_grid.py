"""The grid of structures by their shape alone, and refusal of structures in place of statistics."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, Structures, reconstruct, two_point_stats
from matvae.errors import InputError
from matvae.reconstruction.read_grid import read_grid

X = np.random.default_rng(0).integers(0, 3, (2, 6, 7)).astype(np.uint8)


def test_a_grid_stays_as_it_is():
    grid = Grid((6, 7), phases=4)
    assert read_grid(grid, None) is grid


@pytest.mark.parametrize("phases", [2, 3, 4])
@pytest.mark.parametrize("options", [{}, {"periodic": False}, {"cutoff": 2}, {"cutoff": 2, "periodic": False}])
def test_phases_and_boundaries_follow_from_the_statistics(phases, options):
    f = two_point_stats(X, phases=phases if phases > 2 else 3, **options)[..., : phases * (phases - 1) // 2]
    periodic = options != {"periodic": False}
    assert read_grid((6, 7), f) == Grid((6, 7), phases=phases, periodic=periodic)


def test_correlations_and_volume_fractions_tell_the_phases():
    f = two_point_stats(X, correlations=[(0, 0), (2, 2)])
    assert read_grid([6, 7], f, [(0, 0), (2, 2)]).phases == 3
    assert read_grid((6, 7), None, None, [0.2, 0.3, 0.5]).phases == 3
    assert read_grid(8, None, None, [0.2, 0.8]) == Grid((8,))
    with pytest.raises(InputError, match=r"does not follow from 2 correlations.*grid=matvae.Grid\(shape, phases=H\)"):
        read_grid((6, 7), f)


@pytest.mark.parametrize("grid", ["6,7", None, (6, "y"), object()])
def test_anything_else_is_refused(grid):
    with pytest.raises(InputError, match=r"grid must be a matvae.Grid or the shape of a structure, such as \(64, 64\)"):
        read_grid(grid, two_point_stats(X))


def test_a_shape_is_enough_to_reconstruct():
    f = two_point_stats(X)
    by_shape = reconstruct(f, grid=(6, 7), random_state=0, max_iter=20)
    by_grid = reconstruct(f, grid=Grid((6, 7), phases=3), random_state=0, max_iter=20)
    np.testing.assert_array_equal(by_shape.structures, by_grid.structures)


def test_structures_and_files_in_place_of_statistics_are_refused(tmp_path):
    np.save(tmp_path / "image.npy", X[0])
    for statistics in (Structures(X, Grid((6, 7), phases=3)), str(tmp_path / "image.npy"), tmp_path / "image.npy"):
        with pytest.raises(InputError, match=r"Compute them with matvae.two_point_stats, which takes structures"):
            reconstruct(statistics, grid=(6, 7))
    f = np.asarray(two_point_stats(tmp_path / "image.npy", cutoff=2))
    assert reconstruct(f, grid=(6, 7), random_state=0, max_iter=5).structures.shape == (1, 6, 7)


def test_examples_may_be_structures_or_files(tmp_path):
    examples = (np.indices((12, 20, 20)).sum(0) // 3 % 2).astype(np.uint8)
    f = two_point_stats(examples[:1], cutoff=5)
    np.save(tmp_path / "examples.npy", examples)
    options = {"grid": Grid((20, 20)), "random_state": 0, "max_iter": 3, "patch": 4}
    expected = reconstruct(f, examples=examples, **options).structures
    for given in (Structures(examples, Grid((20, 20))), tmp_path / "examples.npy"):
        np.testing.assert_array_equal(reconstruct(f, examples=given, **options).structures, expected)
