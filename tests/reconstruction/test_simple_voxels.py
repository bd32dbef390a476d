"""Simple voxels: the local rule equals a count of pieces, and swaps keep the number of pieces."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy import ndimage

from matvae.reconstruction.labels import indicators
from matvae.reconstruction.simple_swaps import refine_simple
from matvae.reconstruction.simple_voxels import highest_nearby, simple

from ..structures import blobs


def pieces_at_faces(inside: np.ndarray) -> int:
    """Pieces of a neighbourhood without its centre and corners of three axes that touch the centre by a face."""
    steps = np.stack(np.indices(inside.shape)) - 1
    near = inside & (np.abs(steps).sum(0) > 0) & (np.abs(steps).sum(0) <= 2)
    pieces, _ = ndimage.label(near)
    return len(set(pieces[np.abs(steps).sum(0) == 1]) - {0})


@pytest.mark.parametrize(("shape", "phases"), [((14, 15), 2), ((12, 12), 3), ((7, 7, 7), 2)])
@pytest.mark.parametrize("periodic", [True, False])
def test_a_voxel_is_simple_if_each_phase_touches_it_in_one_piece(shape, phases, periodic) -> None:
    labels = blobs(1, shape, phases, width=0.8)[0]
    found = simple(torch.from_numpy(labels)[None].long(), (0, 1), periodic)[0].numpy()
    padded = np.pad(labels, 1, mode="wrap") if periodic else np.pad(labels, 1, constant_values=255)
    for place in np.ndindex(*shape):
        around = padded[tuple(slice(k, k + 3) for k in place)]
        expected = labels[place] < 2 and all(pieces_at_faces(around == phase) == 1 for phase in (0, 1))
        assert found[place] == expected, place


def test_a_line_one_voxel_wide_has_no_simple_voxel_but_its_ends() -> None:
    labels = torch.zeros(1, 9, 9, dtype=torch.long)
    labels[0, 4, 2:7] = 1
    found = simple(labels, (0, 1), periodic=False)[0]
    assert found[4, 2:7].tolist() == [True, False, False, False, True]


def test_chosen_voxels_are_no_neighbours_and_exceed_theirs() -> None:
    scores = torch.rand(2, 10, 11, generator=torch.Generator().manual_seed(0))
    scores[0, :5] = -torch.inf
    chosen = highest_nearby(scores, periodic=False)
    assert not chosen[0, :5].any()
    for sample in range(2):
        places = chosen[sample].nonzero()
        for first, second in itertools.combinations(places, 2):
            assert (first - second).abs().max() > 1
        for y, x in places.tolist():
            around = scores[sample, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
            assert scores[sample, y, x] == around.max()


def test_equal_scores_are_chosen_at_most_once_nearby() -> None:
    chosen = highest_nearby(torch.ones(1, 6, 6), periodic=False)
    assert 1 <= int(chosen.sum()) < 9


@pytest.mark.parametrize("shape", [(24, 24), (10, 10, 10)])
def test_swaps_of_simple_voxels_lower_the_loss_and_keep_counts_and_pieces(shape) -> None:
    start, goal = (torch.from_numpy(blobs(1, shape, width=1.2, seed=seed)).long() for seed in (0, 1))

    def loss(fields: torch.Tensor) -> torch.Tensor:
        return -(fields * indicators(goal, 2)).flatten(1).mean(1)

    fixed = torch.zeros_like(start, dtype=torch.bool)
    fixed[:, :2] = True
    swapped = refine_simple(start, loss, 2, periodic=False, rounds=30, fixed=fixed)
    assert loss(indicators(swapped, 2)) < loss(indicators(start, 2))
    assert swapped.sum() == start.sum()
    assert torch.equal(swapped[:, :2], start[:, :2])
    for phase in (0, 1):
        counts = [ndimage.label((labels[0] == phase).numpy())[1] for labels in (start, swapped)]
        assert counts[0] == counts[1]
