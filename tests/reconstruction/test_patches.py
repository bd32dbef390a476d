"""Patches: coverage of fields, weights, and the nearest patches of a dictionary."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.reconstruction.labels import indicators
from matvae.reconstruction.patches import build_dictionary, patch_weights, tiling

from ..structures import blobs


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("shape", "patch", "stride"), [((9,), 4, 2), ((13, 10), 5, 3), ((8, 7, 9), 3, 2)])
def test_patches_cover_every_voxel_at_every_start(shape, patch, stride, periodic) -> None:
    for first in range(stride):
        index = torch.cat(list(tiling(shape, patch, stride, [first] * len(shape), periodic, at_once=7)))
        (whole,) = tiling(shape, patch, stride, [first] * len(shape), periodic)
        assert torch.equal(index, whole)
        assert index.shape[1] == patch ** len(shape)
        assert index.flatten().unique().tolist() == list(range(int(np.prod(shape))))


def test_patches_are_boxes_of_neighbouring_voxels() -> None:
    field = torch.arange(48).view(6, 8)
    patches = field.flatten()[next(tiling((6, 8), 3, 2, (0, 1), periodic=False))].view(-1, 3, 3)
    assert (patches.diff(dim=2) == 1).all()
    assert (patches.diff(dim=1) == 8).all()


def test_weights_fall_from_the_centre_and_are_separable() -> None:
    line, square = patch_weights(5, 1), patch_weights(5, 2).view(5, 5)
    assert line.argmax() == 2
    torch.testing.assert_close(square, line.outer(line))


def test_nearest_is_the_smallest_weighted_distance_if_all_components_are_kept() -> None:
    fields = indicators(torch.from_numpy(blobs(6, (20, 20))), 2)[:, 1:]
    dictionary = build_dictionary(fields, 5, 1, 300, 25, np.random.default_rng(0))
    queries = torch.rand(40, 1, 25, generator=torch.Generator().manual_seed(0))
    weights = patch_weights(5, 2)
    distances = ((queries.unsqueeze(1) - dictionary.patches) ** 2 * weights).sum((2, 3))
    chosen = distances.gather(1, dictionary.nearest(queries).unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(chosen, distances.min(1).values, rtol=1e-4, atol=1e-5)


def test_patches_of_a_dictionary_occur_in_the_examples() -> None:
    labels = blobs(2, (12, 12))
    fields = indicators(torch.from_numpy(labels), 2)[:, 1:]
    dictionary = build_dictionary(fields, 4, 1, 50, 8, np.random.default_rng(0))
    windows = np.lib.stride_tricks.sliding_window_view(labels, (1, 4, 4)).reshape(-1, 16)
    occurring = {tuple(window) for window in windows}
    assert all(tuple(patch) in occurring for patch in dictionary.patches[:, 0].byte().tolist())
