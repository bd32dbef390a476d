from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from matvae_boxes.code import Boxes
from matvae_boxes.decoder import BoxesDecoder, count_boxes
from matvae_boxes.pursuit import Found


def lines(n=32):
    """Images with one to three lines, horizontal and vertical, of a few lengths."""
    images = np.zeros((6, n, n), np.uint8)
    for k, image in enumerate(images):
        image[4:6, 4 : 14 + 2 * k] = 1
        if k % 3 > 0:
            image[10 : 20 + k, 6:8] = 1
        if k % 3 > 1:
            image[12:14, 14:26] = 1
    return torch.from_numpy(images)


@pytest.fixture
def decoder(make_spec):
    calibrated = BoxesDecoder(make_spec((32, 32), 9, boxes=4))
    calibrated.calibrate([torch.stack([lines() == 0, lines() > 0], 1).float()])
    return calibrated


def log_extents(*extents):
    return torch.tensor(extents, dtype=torch.float32).log()


def test_latents_are_decoded_to_whole_boxes(decoder):
    found = Found(
        torch.tensor([[True, True, False, False]]),
        torch.tensor([[[0.2, 0.3], [0.2 + 10 / 32, 0.3 + 5 / 32], [0, 0], [0, 0]]]),
        log_extents([2, 14], [12, 2], [1, 1], [1, 1]).unsqueeze(0),
    )
    field = decoder(decoder.code.write(decoder.name(found)))[0, 0]
    expected = torch.zeros(32, 32)
    # The smaller box lies ten voxels below and five to the right of the larger one, whose position is arbitrary.
    expected[15:17, 9:23] = 1
    expected[20:32, 20:22] += 1
    shifted = [expected.roll((y, x), (0, 1)) for y in range(32) for x in range(32)]
    assert min((field - image).abs().max() for image in shifted) < 0.06


def test_mean_structure_is_uniform(decoder):
    """No line is common to all structures, unlike in the paper's reconstructions."""
    z = torch.randn(4000, 9, generator=torch.Generator().manual_seed(0))
    z[:, 0] = z[:, 0].abs()
    mean = decoder(z).clamp_max(1).mean((0, 1))
    assert mean.max() < 1.3 * mean.mean()
    assert mean.min() > 0.7 * mean.mean()


def test_volume_is_that_of_the_boxes_at_any_position(decoder):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(20, 9, generator=generator)
    boxes = decoder.code.read(z)
    volume = (decoder.extents(boxes.kind, boxes.size).prod(-1) * (boxes.kind > 0)).sum(1)
    torch.testing.assert_close(decoder(z).sum((1, 2, 3)), volume, rtol=1e-3, atol=1e-3)


def test_the_largest_box_comes_first_and_is_centred(decoder):
    found = Found(
        torch.tensor([[False, True, True, True]]),
        torch.rand(1, 4, 2, generator=torch.Generator().manual_seed(0)),
        log_extents([9, 9], [2, 10], [2, 16], [11, 2]).unsqueeze(0),
    )
    boxes = decoder.name(found)
    assert (boxes.kind > 0).tolist() == [[True, True, True, False]]
    named = decoder.extents(boxes.kind, boxes.size)[0, :3]
    torch.testing.assert_close(named, torch.tensor([[2.0, 16], [11, 2], [2, 10]]), rtol=0.02, atol=0)
    assert boxes.place[0, 0].tolist() == [0.5, 0.5]


def test_gradients_match_finite_differences(decoder):
    decoder = decoder.double()
    place = torch.tensor([[[0.5, 0.5], [0.21, 0.33], [0.7, 0.11], [0.4, 0.8]]], dtype=torch.float64)
    z = decoder.code.write(Boxes(torch.tensor([[1, 2, 1, 5]]), place, 0.3 * torch.ones_like(place)))
    weights = torch.rand(32, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def weighted_sum(change):
        return (decoder(z + change * free) * weights).sum()

    # The first box is aligned with the voxels, so the value does not vary smoothly with its first component.
    free = torch.ones(9, dtype=torch.float64).index_fill(0, torch.tensor(0), 0)
    change = torch.full((1, 9), 1e-3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(weighted_sum, (change,), eps=1e-7, atol=1e-3)
    weighted_sum(change).backward()
    assert (decoder.middle.grad.abs() > 0).any()


def test_no_box_is_larger_than_the_structure(decoder):
    with torch.no_grad():
        decoder.middle.fill_(math.log(500))
    field = decoder(torch.zeros(1, 9))
    assert field.max() <= 4
    assert torch.isfinite(field).all()


@pytest.mark.parametrize(("n_components", "boxes"), [(9, 3), (5, 3), (16, 5), (40, 11)])
def test_number_of_boxes_covers_the_pieces_and_uses_all_components(n_components, boxes):
    assert count_boxes(lines(), n_components) == boxes


def test_too_few_components_reduce_the_number_of_boxes_with_a_warning():
    with pytest.warns(UserWarning, match=r"up to 3 pieces, but 4 components.*2 boxes.*at least 5"):
        assert count_boxes(lines(), 4) == 2


def test_latents_are_decoded_to_volumes(make_spec):
    decoder = BoxesDecoder(make_spec((8, 9, 10), 7, boxes=3))
    assert decoder(torch.zeros(2, 7)).shape == (2, 1, 8, 9, 10)
