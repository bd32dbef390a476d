from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats.segments import resolve_axes, resolve_longest, segment_counts, segment_products, totals


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("hard", [True, False])
def test_products_equal_those_of_a_loop(periodic, axis, hard):
    field = torch.rand(2, 5, 4, dtype=torch.float64, generator=torch.manual_seed(0))
    field = (field < 0.6).double() if hard else field
    n = field.shape[axis]
    # In a periodic structure a segment may be longer than the axis.
    for voxels, product in enumerate(segment_products(field, axis, periodic, 2 * n if periodic else n), start=1):
        for start in range(n if periodic else n - voxels + 1):
            expected = torch.ones_like(field.select(axis, 0))
            for step in range(voxels):
                expected = expected * field.select(axis, (start + step) % n)
            torch.testing.assert_close(product.select(axis, start), expected)
    assert voxels == (2 * n if periodic else n)


def test_products_that_are_all_zero_have_a_gradient():
    field = torch.tensor([[1.0, 0.0, 1.0, 0.0, 1.0]], dtype=torch.float64, requires_grad=True)
    *_, third = segment_products(field, 1, False, 3)
    third.sum().backward()
    assert not third.any()
    assert field.grad is not None
    assert field.grad.tolist() == [[0, 1, 0, 1, 0]]


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("axis", [1, 2])
def test_counts_equal_those_of_a_full_mask(periodic, axis):
    field = torch.zeros(2, 5, 4)
    full = torch.ones(1, 5, 4)
    longest = field.shape[axis]
    counts = segment_counts(field, None, axis, periodic, longest)
    torch.testing.assert_close(counts, segment_counts(field, full, axis, periodic, longest))
    torch.testing.assert_close(counts, totals(segment_products(full, axis, periodic, longest)))


def test_a_mask_without_a_position_for_some_length_is_refused():
    mask = torch.tensor([[1.0, 1, 0, 1, 1]])
    assert segment_counts(torch.zeros(1, 5), mask, 1, False, 2).tolist() == [[4, 2]]
    with pytest.raises(InputError, match="none for a run of 3 voxels along axis 0"):
        segment_counts(torch.zeros(1, 5), mask, 1, False, 3)


def test_axes_and_lengths_are_checked():
    assert resolve_axes(None, 3) == (0, 1, 2)
    assert resolve_axes(-1, 3) == (2,)
    assert resolve_longest(None, 1, 7, "Segments") == 7
    assert resolve_longest(np.int64(3), 1, 7, "Segments") == 3
    for axis in (3, -4, "x", True, 0.5):
        with pytest.raises(InputError, match="axis must be a spatial axis, 0 to 2"):
            resolve_axes(axis, 3)
    for cutoff in (8, 0, 2.5, True, "3"):
        with pytest.raises(InputError, match="1 to 7 voxels"):
            resolve_longest(cutoff, 1, 7, "Segments")
    with pytest.raises(InputError, match=r"no length at all.*axis=\.\.\."):
        resolve_longest(None, 1, 0, "Chords")
