"""Errors accumulated block by block equal those of the whole set, computed directly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matvae.errors import InputError
from matvae.evaluate import Scatter, StatisticsError, VolumeFractionError


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(0, 2**16))
def test_blocks_give_the_errors_of_the_whole(sizes, seed):
    rng = np.random.default_rng(seed)
    f = (3 + rng.normal(size=(sum(sizes), 4, 5, 2))).astype(np.float32)
    g = f + rng.normal(size=f.shape).astype(np.float32) * 0.1
    scatter, error, start = Scatter(), StatisticsError(), 0
    for size in sizes:
        scatter.add(f[start : start + size])
        error.add(f[start : start + size], g[start : start + size])
        start += size
    F, G = f.astype(np.float64).reshape(len(f), -1), g.astype(np.float64).reshape(len(g), -1)
    relative = np.linalg.norm(F - G, axis=1) / np.linalg.norm(F, axis=1)
    np.testing.assert_allclose(error.relative, relative, rtol=1e-4)
    np.testing.assert_allclose(scatter.mean.ravel(), F.mean(0), rtol=1e-6)
    summary = error.summary(scatter)
    assert summary["relative_error"] == pytest.approx(relative.mean(), rel=1e-4)
    assert summary["median_relative_error"] == pytest.approx(np.median(relative), rel=1e-4)
    if len(f) > 1:
        expected = np.linalg.norm(F - G) / np.linalg.norm(F - F.mean(0))
        assert summary["centred_error"] == pytest.approx(expected, rel=1e-4)


def test_the_mean_has_centred_error_one_and_a_copy_zero():
    f = np.random.default_rng(0).normal(loc=100, size=(50, 6, 6, 1)).astype(np.float32)
    scatter, mean, copy = Scatter(), StatisticsError(), StatisticsError()
    scatter.add(f)
    mean.add(f, np.broadcast_to(f.mean(0, dtype=np.float64).astype(np.float32), f.shape))
    copy.add(f, f)
    assert mean.summary(scatter)["centred_error"] == pytest.approx(1, rel=1e-5)
    assert copy.summary(scatter) == {"relative_error": 0, "median_relative_error": 0, "centred_error": 0}


def test_equal_statistics_have_no_centred_error():
    f = np.ones((3, 4, 1), np.float32)
    scatter, error = Scatter(), StatisticsError()
    scatter.add(f)
    error.add(f, f)
    assert error.summary(scatter)["centred_error"] is None


def test_the_volume_fraction_difference_counts_all_phases_except_0():
    original = np.zeros((4, 10), np.uint8)
    original[0, :4] = 1
    original[1, :5] = 2
    original[2, :8] = 1
    reconstruction = np.zeros_like(original)
    reconstruction[0, :5] = 1
    reconstruction[1, :5] = 1
    reconstruction[3, :2] = 1
    difference = VolumeFractionError()
    difference.add(original[:2], reconstruction[:2])
    difference.add(original[2:], reconstruction[2:])
    # 1/4, 0 and 8/8; the empty original has no percentage and is counted.
    assert difference.percent == pytest.approx(100 * (0.25 + 0 + 1) / 3)
    assert difference.n_empty == 1


def test_structures_of_phase_0_only_have_no_difference():
    difference = VolumeFractionError()
    assert difference.percent is None
    difference.add(np.zeros((2, 4)), np.ones((2, 4)))
    assert difference.percent is None
    assert difference.n_empty == 2


def test_nothing_added_gives_no_errors():
    assert set(StatisticsError().summary(Scatter()).values()) == {None}


def test_shapes_must_agree():
    with pytest.raises(InputError, match=r"\(2, 3\) and \(2, 4\)"):
        StatisticsError().add(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(InputError, match=r"\(2, 3\) and \(1, 3\)"):
        VolumeFractionError().add(np.zeros((2, 3)), np.zeros((1, 3)))
