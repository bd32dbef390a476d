from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae_boxes.dictionary import box_extents, kinds_of, nearest_sizes


def structure(*boxes, shape=(20, 16)):
    solid = np.zeros(shape, bool)
    for y, x, height, width in boxes:
        solid[y : y + height, x : x + width] = True
    return solid


def test_extents_are_those_of_separate_pieces_within_the_boundary():
    inside = structure((2, 2, 3, 7), (10, 4, 6, 2))
    at_the_boundary = structure((0, 2, 4, 4), (10, 10, 2, 3))
    crossing = structure((5, 2, 2, 12), (2, 6, 10, 2), (16, 1, 2, 2))
    extents, most = box_extents([inside, at_the_boundary, crossing])
    assert most == 2
    np.testing.assert_array_equal(extents, [[3, 7], [6, 2], [2, 3], [2, 2]])


def test_structures_without_boxes_are_refused_with_a_suggestion():
    y, x = np.indices((20, 20)) - 9.5
    with pytest.raises(
        InputError, match=r"none of the .* pieces of phase 1 fills its bounding box\. Choose another decoder"
    ):
        box_extents([y**2 + x**2 < 40])


def test_a_few_kinds_represent_lines_of_any_length():
    """Lines of two orientations and three thicknesses form six families that vary in length only, hence six kinds."""
    rng = np.random.default_rng(0)
    length, thick = rng.uniform(20, 180, 900), rng.integers(3, 6, 900)
    extents = np.where(rng.random((900, 1)) < 0.5, np.stack([length, thick], 1), np.stack([thick, length], 1))
    middle, change = kinds_of(extents, 8, 1)
    assert middle.shape == (8, 2)
    assert change.shape == (8, 2, 2)
    logs = torch.from_numpy(np.log(extents)).float()
    distance, sizes = nearest_sizes(logs, middle, change)
    kind = distance.argmin(1, keepdim=True)
    size = sizes.take_along_dim(kind.unsqueeze(-1), 1)
    named = middle[kind[:, 0]] + (size.transpose(1, 2) * change[kind[:, 0]]).sum(1)
    assert (named - logs).abs().max() < 0.02
    assert len(kind.unique()) == 6


def test_kinds_without_sizes_are_means_of_clusters():
    extents = np.array([[4, 8]] * 5 + [[16, 2]] * 3 + [[30, 30]] * 2, float)
    middle, change = kinds_of(extents, 3, 0)
    assert change.abs().max() == 0
    assert sorted(middle.exp().round().tolist()) == [[4, 8], [16, 2], [30, 30]]


def test_fewer_extents_than_kinds_are_accepted():
    middle, change = kinds_of(np.array([[4.0, 8.0]]), 8, 1)
    torch.testing.assert_close(middle.exp(), torch.tensor([[4.0, 8.0]]).expand(8, 2))
    assert change.abs().max() < 1e-6


@pytest.mark.parametrize("n_sizes", [0, 1, 2, 3])
def test_the_nearest_size_has_the_smallest_distance(n_sizes):
    generator = torch.Generator().manual_seed(n_sizes)
    points, middle = torch.randn(2, 5, 3, generator=generator)
    directions = torch.linalg.qr(torch.randn(5, 3, 3, generator=generator))[0].mT
    change = directions * torch.rand(5, 3, 1, generator=generator)
    change[:, n_sizes:] = 0
    distance, sizes = nearest_sizes(points, middle, change)
    tried = 2 * torch.rand(2000, 3, generator=generator) - 1
    for point in range(5):
        for kind in range(5):
            best = (middle[kind] + sizes[point, kind] @ change[kind] - points[point]).square().sum()
            others = (middle[kind] + tried @ change[kind] - points[point]).square().sum(1)
            assert best <= others.min() + 1e-6
            # A fraction of the distance from the middle decides between kinds that are equally close.
            expected = best + 1e-3 * (middle[kind] - points[point]).square().sum()
            torch.testing.assert_close(distance[point, kind], expected)
