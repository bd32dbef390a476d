"""Cropping and inversion of lags, compared lag by lag."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from matvae_pymks.lag_values import check_values, crop, inverted


@pytest.mark.parametrize("shape", [(5,), (6,), (4, 5), (3, 4, 2)])
def test_inverted_has_the_value_at_the_opposite_lag(shape):
    f = np.random.default_rng(0).random((2, *shape))
    g = inverted(f)
    for lag in itertools.product(*(range(-(n // 2), n - n // 2) for n in shape)):
        index = tuple(r + n // 2 for r, n in zip(lag, shape, strict=True))
        opposite = tuple((n // 2 - r) % n for r, n in zip(lag, shape, strict=True))
        np.testing.assert_array_equal(g[(slice(None), *index)], f[(slice(None), *opposite)])


@pytest.mark.parametrize("length", [5, 6, 7])
def test_crop_keeps_lags_around_the_centre(length):
    lags = np.arange(length) - length // 2
    np.testing.assert_array_equal(crop(lags[None, :, None], [(2, 3)])[0, :, 0], [-2, -1, 0, 1, 2])


def test_autocorrelation_is_accepted_and_unchanged():
    m = np.random.default_rng(1).random((2, 6, 5))
    spectrum = np.fft.fftn(m, axes=(1, 2))
    f = np.fft.fftshift(np.fft.ifftn(abs(spectrum) ** 2, axes=(1, 2)).real, axes=(1, 2))[..., None]
    original = f.copy()
    check_values(f, [0], np.ones(()), periodic=True)
    np.testing.assert_array_equal(f, original)
