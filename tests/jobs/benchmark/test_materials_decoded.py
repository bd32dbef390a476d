"""Errors of decoded statistics have known values for exact, mean and shifted predictions."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import two_point_stats
from matvae.estimator import TwoPointPCA
from matvae.jobs.benchmark.materials_decoded import (
    IMAGE_VAE,
    LAG_PCA,
    MATVAE,
    PLAIN_PCA,
    Windows,
    decoded_errors,
    decoded_row,
    estimators,
    floor_row,
    fractions_in,
    surface_error,
)
from matvae.jobs.benchmark.materials_windows import MATERIALS
from matvae.stats import surface_area

from .standins import SMALL, field, grains


@pytest.fixture(scope="module")
def labels():
    return np.stack([field((24, 24), seed, 0.3 + 0.01 * seed) for seed in range(12)])


@pytest.fixture(scope="module")
def true(labels):
    return Windows.of(labels, 2, 12)


def test_statistics_belong_to_the_windows(labels, true):
    np.testing.assert_allclose(true.statistics, two_point_stats(labels, periodic=False, cutoff=12), atol=1e-6)
    np.testing.assert_allclose(true.volume_fractions[:, 0], labels.mean((1, 2)), atol=1e-6)
    np.testing.assert_allclose(true.surfaces[:, 0], surface_area(labels, periodic=False)[:, 1], atol=1e-6)
    part = true[np.array([3, 5])]
    np.testing.assert_array_equal(part.structures, labels[[3, 5]])
    np.testing.assert_array_equal(part.statistics, true.statistics[[3, 5]])


def test_fractions_of_three_phases_are_those_at_zero_lag():
    labels = np.stack([grains((16, 16), 3, seed) for seed in range(3)])
    f = two_point_stats(labels, phases=3, periodic=False, cutoff=4)
    expected = np.stack([(labels == phase).mean((1, 2)) for phase in (1, 2)], axis=1)
    np.testing.assert_allclose(fractions_in(f, 3), expected, atol=1e-6)


def test_exact_statistics_have_no_error_and_the_mean_has_one(true):
    mean = true.statistics.mean(0) + 0.01
    exact = decoded_errors(true, true.statistics, true.surfaces, mean)
    assert all(value == 0 for value in exact.values())
    g = np.broadcast_to(mean, true.statistics.shape)
    predicted = decoded_errors(true, g, None, mean)
    assert [predicted[f"centred_{lags}"] for lags in ("all", "8")] == pytest.approx([1, 1])
    assert predicted["surface_error"] is None


def test_bias_and_largest_difference_of_volume_fractions(true):
    g = true.statistics.copy()
    g[:, 12, 12] += 0.02
    g[0, 12, 12] += 0.1
    errors = decoded_errors(true, g, 1.1 * true.surfaces, true.statistics.mean(0))
    assert errors["volume_fraction_bias"] == pytest.approx(0.02 + 0.1 / 12, abs=1e-6)
    assert errors["volume_fraction_largest"] == pytest.approx(0.12, abs=1e-6)
    assert errors["surface_error"] == pytest.approx(0.1, abs=1e-6)


def test_surfaces_that_do_not_exist_are_left_out():
    assert surface_error(np.array([[0.0], [1.0], [2.0]]), np.array([[0.5], [1.5], [2.2]])) == pytest.approx(0.3)


def test_the_floor_pairs_every_window_with_another(true):
    mean = true.statistics.mean(0)
    same = floor_row(true, true, mean)
    assert (same["method"], same["n_components"], same["centred_all"]) == ("another true window", None, 0)
    two = floor_row(true, true[np.array([0, 1])], mean)
    pairs = true.statistics[np.arange(12) % 2]
    distances = [np.linalg.norm(f - g) / np.linalg.norm(f - mean) for f, g in zip(true.statistics, pairs, strict=True)]
    assert two["centred_all"] == pytest.approx(np.median(distances), rel=1e-5)


def test_a_row_is_relative_to_pca(labels, true):
    mean = true.statistics.mean(0)
    pca, better = (TwoPointPCA(n, periodic=False, cutoff=12).fit(labels) for n in (2, 6))
    plain = decoded_row(PLAIN_PCA, pca, true, mean, None, 1.5)
    assert [plain[f"ratio_{lags}"] for lags in ("all", "8")] == [1, 1]
    assert (plain["fit_seconds"], plain["n_components"], plain["surface_error"]) == (1.5, 2, None)
    f = true.statistics.reshape(12, -1)
    g = np.asarray(pca.inverse_statistics(pca.transform(labels))).reshape(12, -1)
    centred = np.linalg.norm(f - g, axis=1) / np.linalg.norm(f - mean.ravel(), axis=1)
    assert plain["centred_all"] == pytest.approx(np.median(centred), rel=1e-4)
    row = decoded_row("PCA of 6", better, true, mean, plain, 0.0)
    assert row["ratio_all"] == pytest.approx(row["centred_all"] / plain["centred_all"])
    assert row["ratio_all"] < 1


def test_all_methods_read_the_same_statistics():
    methods = estimators(SMALL, 3, 7, 20.0)
    assert list(methods) == [PLAIN_PCA, LAG_PCA, MATVAE, IMAGE_VAE]
    for estimator in methods.values():
        chosen = (estimator.n_components, estimator.periodic, estimator.cutoff, estimator.phases)
        assert chosen == (3, False, 12, 2)
    assert (methods[PLAIN_PCA].metric, methods[LAG_PCA].metric) == ("plain", "lags")
    assert (methods[IMAGE_VAE].loss, methods[IMAGE_VAE].max_time, methods[MATVAE].random_state) == ("voxels", 20, 7)
    assert IMAGE_VAE not in estimators(MATERIALS["composite"], 3, 7, 0)
