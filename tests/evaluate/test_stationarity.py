"""Trends and blocks: found where they are, and not found in independent noise."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.evaluate.stationarity import stationarity_of


def test_a_linear_trend_is_measured_along_its_axis():
    rng = np.random.default_rng(0)
    y = (np.arange(8) + 0.5) / 8
    values = 0.3 + 0.1 * y[None, :, None] + 0.01 * rng.standard_normal((1, 8, 10))
    test = stationarity_of(values)
    along_y, along_x = test.drift
    assert along_y is not None
    assert along_x is not None
    assert along_y.change == pytest.approx(0.1, abs=3 * along_y.standard_error)
    # Standard error of a slope: noise / sqrt(n var(x)).
    assert along_y.standard_error == pytest.approx(0.01 / np.sqrt(80 * y.var()), rel=0.15)
    assert along_y.p_value < 1e-6
    assert along_x.p_value > 0.01
    assert test.p_value is not None
    assert test.p_value < 1e-6


def test_a_hump_without_a_trend_is_found_between_blocks():
    rng = np.random.default_rng(1)
    values = 0.3 + 0.01 * rng.standard_normal((1, 12, 12))
    values[:, 3:9, 3:9] += 0.02
    test = stationarity_of(values)
    assert all(drift is not None and drift.p_value > 0.01 for drift in test.drift)
    assert test.p_value is not None
    assert test.p_value < 1e-6


def test_p_values_of_independent_windows_are_uniform():
    rng = np.random.default_rng(2)
    p_values = np.array([stationarity_of(rng.standard_normal((1, 8, 8))).p_values for _ in range(400)])
    assert p_values.shape == (400, 3)
    np.testing.assert_allclose((p_values < 0.1).mean(axis=0), 0.1, atol=0.05)
    np.testing.assert_allclose(p_values.mean(axis=0), 0.5, atol=0.05)


def test_correlated_neighbours_widen_the_errors():
    values = np.random.default_rng(3).standard_normal((1, 8, 8))
    alone, inflated = stationarity_of(values), stationarity_of(values, inflation=4)
    assert inflated.variance_ratio == pytest.approx(alone.variance_ratio / 4)
    assert inflated.drift[0].standard_error == pytest.approx(2 * alone.drift[0].standard_error)


def test_several_structures_are_compared_with_one_another():
    rng = np.random.default_rng(4)
    values = rng.standard_normal((6, 4, 4)) + np.array([0, 0, 0, 0, 0, 3])[:, None, None]
    test = stationarity_of(values)
    assert test.p_value < 1e-6
    assert all(drift.p_value > 0.01 for drift in test.drift)


def test_too_few_windows_allow_no_test():
    assert stationarity_of(np.zeros((1, 2, 2))).p_values == []
    assert stationarity_of(np.zeros((1, 8, 8))).p_values == []
    # A single row of windows has no trend across it.
    assert stationarity_of(np.random.default_rng(0).random((1, 1, 12))).drift[0] is None
