from __future__ import annotations

import itertools

import pytest
import torch

from matvae.model.alignment import align

from ..structures import one_hot

SHAPES = [(9,), (8,), (6, 7), (8, 8), (4, 5, 3)]


def fields_of(labels, phases):
    return torch.from_numpy(one_hot(labels, phases, axis=1)).float()


def inverted(fields):
    """Invert periodic fields through the origin, x -> -x."""
    axes = tuple(range(2, fields.ndim))
    return fields.flip(axes).roll([1] * len(axes), axes)


def every_placement(field, invert):
    """Yield a structure ``(state, *space)`` at all shifts and, if requested, its inversion at all shifts."""
    space = field.shape[1:]
    for invert_field in (False, True) if invert else (False,):
        start = inverted(field[None])[0] if invert_field else field
        for shift in itertools.product(*map(range, space)):
            yield start.roll(shift, tuple(range(1, field.ndim)))


@pytest.mark.parametrize("phases", [2, 3])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("invert", [True, False])
def test_a_shifted_and_inverted_copy_is_aligned_exactly(labels, shape, phases, invert):
    original = fields_of(labels(6, shape, phases), phases)
    generator = torch.Generator().manual_seed(1)
    moved = []
    for k, fields in enumerate(original):
        steps = [int(torch.randint(n, (), generator=generator)) for n in shape]
        turned = inverted(fields[None])[0] if invert and k % 2 else fields
        moved.append(turned.roll(steps, tuple(range(1, fields.ndim))))
    assert torch.equal(align(torch.stack(moved), original, invert=invert), original)


@pytest.mark.parametrize("invert", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_aligned_structure_has_the_largest_overlap_of_all_placements(labels, shape, invert):
    target = fields_of(labels(5, shape, 3), 3)
    output = torch.rand(5, 3, *shape, generator=torch.Generator().manual_seed(2)).softmax(1)
    for aligned, start, goal in zip(align(target, output, invert=invert), target, output, strict=True):
        choices = torch.stack(list(every_placement(start, invert)))
        overlaps = (choices * goal).flatten(1).sum(1)
        torch.testing.assert_close((aligned * goal).sum(), overlaps.max())
        assert any(torch.equal(aligned, choice) for choice in choices)


def test_a_chiral_structure_is_inverted_only_if_inversion_is_allowed():
    target = fields_of(torch.tensor([[0, 1, 2, 0, 0, 0, 0]]), 3)
    mirrored = fields_of(torch.tensor([[0, 2, 1, 0, 0, 0, 0]]), 3)
    assert torch.equal(align(target, mirrored, invert=True), mirrored)
    assert not torch.equal(align(target, mirrored, invert=False), mirrored)


def test_the_aligned_target_has_no_gradient():
    output = torch.rand(1, 2, 4, requires_grad=True)
    assert not align(fields_of(torch.tensor([[0, 1, 1, 0]]), 2), output).requires_grad
