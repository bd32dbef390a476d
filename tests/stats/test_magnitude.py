"""Statistics of fields do not depend on their unit, up to what the type can represent."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae import StatsVAETransformer, TwoPointPCA, two_point_stats
from matvae.errors import InputError
from matvae.stats.magnitude import check_magnitude, in_squares_of, unit_of


@pytest.fixture
def fields():
    return np.random.default_rng(0).normal(5, 1, (6, 8, 12))


@pytest.mark.parametrize("exponent", [-18, -10, 8, 11, 18])
def test_single_precision_scales(fields, exponent):
    f = two_point_stats(fields)
    g = two_point_stats((fields * 10.0**exponent).astype(np.float32))
    assert g.dtype == np.float32
    np.testing.assert_allclose(g.astype(float) / 10.0 ** (2 * exponent), f, rtol=2e-6)


@pytest.mark.parametrize("exponent", [-100, 30, 150])
def test_double_precision_scales_further(fields, exponent):
    g = two_point_stats(fields * 10.0**exponent)
    np.testing.assert_allclose(g / 10.0**exponent / 10.0**exponent, two_point_stats(fields), rtol=1e-13)


@pytest.mark.parametrize("exponent", [-30, 20, 30])
def test_what_cannot_be_represented_is_refused_with_both_numbers(fields, exponent):
    with pytest.raises(InputError, match=r"products of two of its values, here up to .*, but float32 represents"):
        two_point_stats((fields * 10.0**exponent).astype(np.float32))


def test_common_magnitudes_and_zero_are_left_as_they_are(fields):
    for scale in (1e-5, 1.0, 1e5, 0.0):
        assert unit_of(torch.from_numpy(fields * scale)) == 1.0
    f = torch.ones(3)
    assert in_squares_of(1.0, f) is f


def test_large_fields_can_be_differentiated(fields):
    X = torch.from_numpy(fields * 1e11).requires_grad_()
    two_point_stats(X, spatial_dims=2, phases=1)[:, 4, 6].sum().backward()
    # At lag zero, the mean of squares.
    torch.testing.assert_close(X.grad, 2 * X.detach() / 96)


@pytest.mark.parametrize("exponent", [-20, 11, 18])
def test_the_score_of_pca_has_no_unit(fields, exponent):
    X = (fields * 10.0**exponent).astype(np.float64)
    assert TwoPointPCA(2).fit(X).score(X) == pytest.approx(TwoPointPCA(2).fit(fields).score(fields), rel=1e-6)


@pytest.mark.parametrize("exponent", [11, 14])
def test_the_score_of_pca_in_single_precision_is_finite(fields, exponent):
    X = (fields * 10.0**exponent).astype(np.float32)
    assert TwoPointPCA(2).fit(X).score(X) == pytest.approx(TwoPointPCA(2).fit(fields).score(fields), rel=1e-3)


@pytest.mark.parametrize("scale", [1e-9, 1e11, 1e30])
@pytest.mark.parametrize("decoder", ["dense", "statistics"])
def test_a_model_refuses_them_before_training(fields, scale, decoder):
    model = StatsVAETransformer(2, decoder=decoder, max_epochs=1, random_state=0)
    with pytest.raises(InputError, match="Express the field in another unit, such as GPa instead of Pa"):
        model.fit((fields * scale).astype(np.float32))


def test_what_a_model_accepts_can_be_squared_twice_and_added():
    check_magnitude(0.0, 100)
    largest, n = 4e7, 10**7
    check_magnitude(largest, n)
    assert np.isfinite(np.float32(largest) ** 4 * np.float32(n))
    with pytest.raises(InputError):
        check_magnitude(1e8, n)
