from __future__ import annotations

import pytest
import torch

from matvae.stats.correlate import transform_shape
from matvae.stats.lags import lag_ranges
from matvae.stats.pair_sums import lags_of, pair_sums

CASES = [
    ((7,), True, None),
    ((8,), False, None),
    ((6, 5), True, None),
    ((6, 5), True, (2, 1)),
    ((6, 5), False, None),
    ((5, 6), False, 2),
    ((4, 3, 5), True, 1),
    ((4, 3, 5), False, (1, 2, 0)),
]
PAIRS = ((0, 0), (0, 1), (1, 0), (1, 2))


def by_automatic_differentiation(fields, pairs, size, ranges):
    spectra = torch.fft.rfftn(fields, s=size, dim=tuple(range(2, fields.ndim)))
    return torch.stack([lags_of(spectra[:, i].conj() * spectra[:, j], size, ranges) for i, j in pairs], 1)


@pytest.mark.parametrize(("space", "periodic", "cutoff"), CASES)
def test_sums_and_gradients_equal_those_of_automatic_differentiation(space, periodic, cutoff):
    generator = torch.Generator().manual_seed(0)
    fields = torch.rand(2, 3, *space, generator=generator, dtype=torch.float64).requires_grad_()
    size, ranges = transform_shape(space, periodic, cutoff), lag_ranges(space, periodic, cutoff)
    fast, slow = (f(fields, PAIRS, size, ranges) for f in (pair_sums, by_automatic_differentiation))
    torch.testing.assert_close(fast, slow)
    weights = torch.rand(fast.shape, generator=generator, dtype=torch.float64)
    (fast_gradient,) = torch.autograd.grad((weights * fast).sum(), fields)
    (slow_gradient,) = torch.autograd.grad((weights * slow).sum(), fields)
    torch.testing.assert_close(fast_gradient, slow_gradient)


@pytest.mark.parametrize(("space", "periodic", "cutoff"), CASES)
def test_the_gradient_equals_finite_differences(space, periodic, cutoff):
    fields = torch.rand(1, 3, *space, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    size, ranges = transform_shape(space, periodic, cutoff), lag_ranges(space, periodic, cutoff)
    assert torch.autograd.gradcheck(lambda x: pair_sums(x, PAIRS, size, ranges), fields.requires_grad_())


def test_a_state_in_no_pair_has_a_gradient_of_zero():
    fields = torch.rand(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(pair_sums(fields, ((0, 0),), (4, 4), ((2, 2), (2, 2))).sum(), fields)
    assert torch.equal(gradient[:, 1], torch.zeros(1, 4, 4, dtype=torch.float64))
    # The sum over all lags is the square of the sum over all voxels, whose gradient is twice that sum.
    torch.testing.assert_close(gradient[:, 0], (2 * fields[:, 0].sum()).expand(1, 4, 4))
