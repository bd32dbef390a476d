from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.grid import Grid
from matvae.reconstruction import Wanted, tiles
from matvae.reconstruction.comparison import percolating
from matvae.reconstruction.tiles import is_tiled, realize_tiles, turns
from matvae.stats import relative_error, surface_area, two_point_stats

from .test_from_examples import network

EXAMPLES = torch.from_numpy(network(3, 96))
F = two_point_stats(EXAMPLES[:1], periodic=False, cutoff=12)
PAIRS = ((1, 1),)


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles that are quick to realize."""
    monkeypatch.setitem(tiles.EDGE, 2, 48)
    monkeypatch.setitem(tiles.MARGIN, 2, 12)


@pytest.mark.parametrize("shape", [(50,), (70, 41), (48, 64, 33)])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("again", [True, False])
def test_tiles_cover_a_structure_once_and_continue_only_what_exists(shape, periodic, again):
    done = np.zeros(shape, int)
    for turn in turns(shape, periodic, edge=16, margin=5, again=again):
        before = done.copy()
        for tile in turn:
            surroundings = before[tile.place(shape)]
            assert (surroundings[tile.core] == 0).all()
            surroundings[tile.core] = 1
            assert again or (surroundings == 1).all()
            done[tile.place(shape, core=True)] += 1
            # Others of the turn stay away from the surroundings, which therefore do not change meanwhile.
            others = np.zeros(shape, int)
            for other in turn:
                others[other.place(shape, core=True)] += other is not tile
            assert (others[tile.place(shape)] == 0).all()
    assert (done == 1).all()


@pytest.mark.parametrize("periodic", [True, False])
def test_all_faces_between_tiles_are_continued(periodic):
    tiles = [tile for turn in turns((64, 48), periodic, 16, 4) for tile in turn]
    n_faces = sum(np.count_nonzero([*tile.before, *tile.after]) for tile in tiles)
    assert n_faces == (4 * 3 + 3 * 4 if periodic else 3 * 3 + 2 * 4)


@pytest.mark.parametrize("periodic", [True, False])
def test_the_second_tiles_hold_the_corners_of_the_first(periodic):
    corners = {tile.start for turn in turns((64, 48), periodic, 16, 4) for tile in turn}
    for turn in turns((64, 48), periodic, 16, 4, again=True):
        for tile in turn:
            inside = [c for c in corners if all(a < x < b for a, x, b in zip(tile.start, c, tile.stop, strict=True))]
            assert len(inside) <= 1
            corners -= set(inside)
    # Those on the sides of the structure remain; in a ring, tiles beyond the last voxel hold the first corners.
    assert all(0 in corner for corner in corners)


def test_only_large_structures_are_tiled():
    assert not is_tiled((512, 512), periodic=False)
    assert is_tiled((1024, 1024), periodic=False)
    assert is_tiled((128, 128, 128), periodic=True)
    assert is_tiled((20, 40_000), periodic=False)
    assert not is_tiled((20, 40_000), periodic=True)


@pytest.mark.parametrize("periodic", [True, False])
def test_a_network_continues_across_tiles(small_tiles, periodic):
    grid = Grid((144, 100), periodic=periodic)
    structure = realize_tiles(F, grid=grid, pairs=PAIRS, examples=EXAMPLES, seed=(0,))
    assert structure.shape == grid.shape
    centre = F[0, 12, 12, 0].item()
    assert structure.mean() == pytest.approx(centre, abs=6 / structure.size)
    f = two_point_stats(torch.from_numpy(structure[None]), periodic=periodic, cutoff=12)
    assert relative_error(F, f).item() < 0.08
    assert percolating(structure[None], 2)[0, 1].any()
    # Interfaces are about as common across the borders of tiles (along both axes) as elsewhere.
    changes = [np.diff(structure, axis=axis) != 0 for axis in (0, 1)]
    across = [changes[0][[47, 95]], changes[1][:, [49]]]
    assert np.mean([x.mean() for x in across]) < 1.7 * np.mean([x.mean() for x in changes])


def test_further_densities_are_met(small_tiles):
    surface = surface_area(EXAMPLES.numpy(), periodic=False).mean(0, keepdims=True)
    structure = realize_tiles(
        F,
        grid=Grid((96, 96), periodic=False),
        pairs=PAIRS,
        examples=EXAMPLES,
        seed=(0,),
        also=[Wanted("surface_area", surface)],
    )
    np.testing.assert_allclose(surface_area(structure[None], periodic=False), surface, rtol=0.05)


def test_the_seed_determines_the_structure_whatever_the_number_of_threads(small_tiles):
    options = {"grid": Grid((100, 96), periodic=False), "pairs": PAIRS, "examples": EXAMPLES}
    structure = realize_tiles(F, seed=(1, 2), **options)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        np.testing.assert_array_equal(realize_tiles(F, seed=(1, 2), **options), structure)
    finally:
        torch.set_num_threads(threads)
    assert np.mean(realize_tiles(F, seed=(1, 3), **options) != structure) > 0.1
