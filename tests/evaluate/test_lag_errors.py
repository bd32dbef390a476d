"""Errors over balls of lags equal their formulas, evaluated lag by lag."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.evaluate.lag_errors import (
    centred_lag_error,
    keep_lags,
    lag_errors,
    mean_absolute_lag_error,
    relative_lag_error,
)
from matvae.stats import two_point_stats

from ..structures import blobs


def ball(lags, max_lag):
    """Indices of all lags of at most this length."""
    return [
        index
        for index in np.ndindex(*lags)
        if max_lag is None or sum((i - n // 2) ** 2 for i, n in zip(index, lags, strict=True)) <= max_lag**2
    ]


def kept(f, max_lag):
    return np.array([[sample[index] for index in ball(f.shape[1:-1], max_lag)] for sample in f])


@pytest.mark.parametrize("lags", [(9,), (8, 9), (6, 7, 7)])
@pytest.mark.parametrize("max_lag", [None, 0, 2, 2.5])
@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy])
def test_errors_equal_their_formulas(lags, max_lag, convert):
    rng = np.random.default_rng(0)
    f, g = rng.normal(1, 0.3, size=(2, 4, *lags, 2))
    mean = rng.normal(1, 0.1, size=(*lags, 2))
    a, b, m = (kept(x, max_lag).reshape(len(x), -1) for x in (f, g, mean[None]))
    norm = np.linalg.norm
    F, G, M = convert(f), convert(g), convert(mean)
    np.testing.assert_array_equal(keep_lags(F, max_lag).reshape(4, -1), a)
    options = {"max_lag": max_lag}
    for error, expected in (
        (centred_lag_error(F, G, mean=M, **options), norm(a - b, axis=1) / norm(a - m, axis=1)),
        (centred_lag_error(F, G, **options), norm(a - b, axis=1) / norm(a - a.mean(0), axis=1)),
        (relative_lag_error(F, G, **options), norm(a - b, axis=1) / norm(a, axis=1)),
        (mean_absolute_lag_error(F, G, **options), np.abs(a - b).mean(1) / np.abs(a).mean(1)),
    ):
        assert isinstance(error, type(F))
        np.testing.assert_allclose(error, expected, rtol=1e-6)


def test_the_ball_of_one_voxel_contains_the_zero_lag_and_its_neighbours():
    f = two_point_stats(blobs(3, (12, 11)), periodic=False, cutoff=3)
    short = keep_lags(f, 1)
    assert short.shape == (3, 5, 1)
    np.testing.assert_array_equal(short[:, 2], f[:, 3, 3])


def test_the_mean_has_error_one_and_a_copy_zero():
    f = np.random.default_rng(1).normal(size=(5, 7, 7, 1))
    np.testing.assert_allclose(centred_lag_error(f, f.mean(0, keepdims=True)), 1)
    errors = lag_errors(f, f, max_lags=(2, 3))
    assert list(errors) == ["all", "2", "3"]
    for values in errors.values():
        assert list(values) == ["centred", "relative", "mean_absolute"]
        assert not any(error.any() for error in values.values())


@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy])
def test_errors_relative_to_zero_are_zero_or_infinite(convert):
    f = np.zeros((2, 5, 5, 1))
    g = f.copy()
    g[1] = 1
    F, G = convert(f), convert(g)
    np.testing.assert_array_equal(centred_lag_error(F, G), [0, np.inf])
    np.testing.assert_array_equal(mean_absolute_lag_error(F, G), [0, np.inf])


def test_balls_that_do_not_fit_are_left_out_or_refused():
    f = two_point_stats(blobs(2, (32, 20)))
    assert list(lag_errors(f, f)) == ["all", "8"]
    # The longest of 32 periodic lags is 16, at index 0.
    assert list(lag_errors(f[:, :, :1], f[:, :, :1])) == ["all"]
    assert keep_lags(f[:, :, 10], 16).shape == (2, 32, 1)
    with pytest.raises(InputError, match="Lags up to 16 voxels do not fit into statistics of \\(32, 20\\)"):
        centred_lag_error(f, f, max_lag=16)


def test_unsuitable_shapes_are_refused():
    f = np.zeros((2, 5, 5, 1))
    with pytest.raises(InputError, match="one to three axes of lags"):
        relative_lag_error(f[:, 0, 0], f[:, 0, 0])
    with pytest.raises(InputError, match="of the same shape"):
        mean_absolute_lag_error(f, f[..., [0, 0]])
    with pytest.raises(InputError, match="The mean needs the shape"):
        centred_lag_error(f, f, mean=f)
