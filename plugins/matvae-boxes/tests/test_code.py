from __future__ import annotations

import pytest
import torch

from matvae_boxes.code import BoxCode, Boxes

CODES = [BoxCode(9, 2, 4), BoxCode(16, 2, 5), BoxCode(3, 1, 3), BoxCode(12, 3, 3), BoxCode(5, 2, 1)]


def random_boxes(code: BoxCode, n: int = 50) -> Boxes:
    generator = torch.Generator().manual_seed(0)
    kinds = [torch.randint(0, most + 1, (n,), generator=generator) for most in code.kinds]
    place = torch.rand(n, code.n_boxes, code.ndim, generator=generator, dtype=torch.float64)
    place[:, 0] = 0.5
    size = 2 * torch.rand(n, code.n_boxes, code.ndim, generator=generator, dtype=torch.float64) - 1
    for box, n_sizes in enumerate(code.sizes):
        size[:, box, n_sizes:] = 0
    return Boxes(torch.stack(kinds, 1), place, size)


@pytest.mark.parametrize("code", CODES)
def test_boxes_are_recovered_from_their_latents(code):
    boxes = random_boxes(code)
    z = code.write(boxes)
    assert z.shape == (50, code.n_components)
    recovered = code.read(z)
    torch.testing.assert_close(recovered.kind, boxes.kind)
    present = (boxes.kind > 0).unsqueeze(-1)
    # The tolerance covers the margins that keep rounding from changing the kind of a box.
    for values, expected in ((recovered.place, boxes.place), (recovered.size, boxes.size)):
        torch.testing.assert_close(values * present, expected * present, rtol=0, atol=3e-4)


@pytest.mark.parametrize("code", CODES)
def test_normal_latents_give_equally_frequent_kinds_and_uniform_places(code):
    generator = torch.Generator().manual_seed(0)
    boxes = code.read(torch.randn(20_000, code.n_components, generator=generator, dtype=torch.float64))
    for box, n_kinds in enumerate(code.kinds):
        shares = torch.bincount(boxes.kind[:, box], minlength=n_kinds + 1) / 20_000
        torch.testing.assert_close(shares, torch.full_like(shares, 1 / (n_kinds + 1)), rtol=0, atol=0.01)
    if code.n_boxes > 1:
        assert (boxes.place[:, 1:].mean(0) - 0.5).abs().max() < 0.02
    torch.testing.assert_close(boxes.place[:, 0], torch.full_like(boxes.place[:, 0], 0.5))


def test_components_are_assigned_to_places_before_sizes():
    assert BoxCode(9, 2, 4).sizes == [1, 1, 1, 0]
    assert BoxCode(16, 2, 5).sizes == [2, 2, 2, 1, 1]
    # More than one size per axis would carry no information, so the other components are unused.
    assert BoxCode(9, 2, 1).sizes == [2]
    assert BoxCode(9, 2, 1).write(random_boxes(BoxCode(9, 2, 1)))[:, 2:].abs().max() == 0


def test_places_are_periodic():
    code = BoxCode(3, 1, 3)
    boxes = random_boxes(code)
    moved = boxes._replace(place=boxes.place + 1)
    torch.testing.assert_close(code.write(moved), code.write(boxes), rtol=0, atol=1e-9)


def test_components_of_absent_boxes_are_unused():
    code = BoxCode(9, 2, 4)
    assert code.used(torch.tensor([[3, 0, 1, 0]])).tolist() == [[True, *[False] * 3, *[True] * 3, *[False] * 2]]
    assert BoxCode(9, 2, 1).used(torch.tensor([[1]])).sum() == 2


def test_places_and_sizes_have_a_gradient_in_every_component():
    code = BoxCode(9, 2, 4)
    z = code.write(random_boxes(code, 5)).requires_grad_()
    boxes = code.read(z)
    (boxes.place.sum() + boxes.size.sum()).backward()
    assert (z.grad.abs() > 0).all()
