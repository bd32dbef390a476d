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
def test_latents_name_the_boxes_they_were_written_from(code):
    boxes = random_boxes(code)
    z = code.write(boxes)
    assert z.shape == (50, code.n_components)
    again = code.read(z)
    torch.testing.assert_close(again.kind, boxes.kind)
    there = (boxes.kind > 0).unsqueeze(-1)
    # Rounding may take no box to its next kind, so that a way's ends are left free.
    for new, old in ((again.place, boxes.place), (again.size, boxes.size)):
        torch.testing.assert_close(new * there, old * there, rtol=0, atol=3e-4)


@pytest.mark.parametrize("code", CODES)
def test_every_component_of_a_normal_latent_is_used_as_much_as_any(code):
    """Evenly distributed places and sizes, and kinds as frequent as each other, are normally distributed latents."""
    generator = torch.Generator().manual_seed(0)
    boxes = code.read(torch.randn(20_000, code.n_components, generator=generator, dtype=torch.float64))
    for box, n_kinds in enumerate(code.kinds):
        shares = torch.bincount(boxes.kind[:, box], minlength=n_kinds + 1) / 20_000
        torch.testing.assert_close(shares, torch.full_like(shares, 1 / (n_kinds + 1)), rtol=0, atol=0.01)
    assert (boxes.place[:, 1:].mean(0) - 0.5).abs().max() < 0.02 if code.n_boxes > 1 else True
    torch.testing.assert_close(boxes.place[:, 0], torch.full_like(boxes.place[:, 0], 0.5))


def test_components_are_dealt_to_places_first():
    assert BoxCode(9, 2, 4).sizes == [1, 1, 1, 0]
    assert BoxCode(16, 2, 5).sizes == [2, 2, 2, 1, 1]
    # Sizes beyond one an axis would say nothing, so that components stay idle.
    assert BoxCode(9, 2, 1).sizes == [2]
    assert BoxCode(9, 2, 1).write(random_boxes(BoxCode(9, 2, 1)))[:, 2:].abs().max() == 0


def test_a_place_that_moves_around_the_border_stays_a_place():
    code = BoxCode(3, 1, 3)
    boxes = random_boxes(code)
    moved = boxes._replace(place=boxes.place + 1)
    torch.testing.assert_close(code.write(moved), code.write(boxes), rtol=0, atol=1e-9)


def test_components_of_boxes_that_are_not_there_say_nothing():
    code = BoxCode(9, 2, 4)
    assert code.used(torch.tensor([[3, 0, 1, 0]])).tolist() == [[True, *[False] * 3, *[True] * 3, *[False] * 2]]
    assert BoxCode(9, 2, 1).used(torch.tensor([[1]])).sum() == 2


def test_places_and_sizes_keep_the_gradient():
    code = BoxCode(9, 2, 4)
    z = code.write(random_boxes(code, 5)).requires_grad_()
    boxes = code.read(z)
    (boxes.place.sum() + boxes.size.sum()).backward()
    # The first component of a box turns; all of them move something.
    assert (z.grad.abs() > 0).all()
