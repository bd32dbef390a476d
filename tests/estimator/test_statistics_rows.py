"""Rows of statistics: the same in memory and in passes, their weights and their components."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import two_point_stats
from matvae.estimator import statistics_rows
from matvae.estimator.statistics_rows import StatisticsRows
from matvae.stats.metric import lag_weights

from ..structures import blobs


@pytest.fixture
def structures() -> np.ndarray:
    """Forty small structures."""
    return blobs(40, (12, 12), width=1.0)


def rows_of(structures: np.ndarray) -> StatisticsRows:
    return StatisticsRows((structures,), two_point_stats, (12, 12, 1))


def test_statistics_that_fit_into_memory_are_computed_once(structures) -> None:
    calls = []

    def counted(block):
        calls.append(len(block))
        return two_point_stats(block)

    rows = StatisticsRows((structures,), counted, (12, 12, 1))
    first, second = (np.concatenate(list(rows)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert sum(calls) == 40


@pytest.mark.parametrize("metric", ["plain", "lags"])
def test_passes_over_blocks_give_the_same_weights_and_components(structures, metric, monkeypatch) -> None:
    held = rows_of(structures)
    weights = held.weights(metric)
    whole = held.components(3, weights)
    monkeypatch.setattr(statistics_rows, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(statistics_rows, "BLOCK_BYTES", 8 * 7 * 144)
    passes = rows_of(structures)
    np.testing.assert_allclose(passes.weights(metric), weights, rtol=1e-6)
    blockwise = passes.components(3, weights)
    np.testing.assert_allclose(blockwise.components, whole.components, atol=1e-6)
    np.testing.assert_allclose(blockwise.mean, whole.mean, atol=1e-7)


def test_weights_are_those_of_the_variance(structures) -> None:
    f = two_point_stats(structures).astype(float)
    np.testing.assert_allclose(rows_of(structures).weights("lags"), lag_weights(f.var(0)), rtol=1e-5)
    assert (rows_of(structures).weights("plain") == 1).all()


def test_there_are_no_more_components_than_samples_and_lags(structures) -> None:
    rows = rows_of(structures[:5])
    assert len(rows.components(100, rows.weights("plain")).components) == 5


def test_many_components_are_those_of_the_iteration(structures, monkeypatch) -> None:
    rows = rows_of(structures)
    weights = rows.weights("lags")
    monkeypatch.setattr(statistics_rows, "MANY_COMPONENTS", 100)
    iterated = rows.components(8, weights)
    monkeypatch.setattr(statistics_rows, "MANY_COMPONENTS", 1)
    direct = rows.components(8, weights)
    np.testing.assert_allclose(direct.components, iterated.components, atol=1e-4)
    np.testing.assert_allclose(direct.variance, iterated.variance, rtol=1e-6)
    # One pass over blocks, where there are fewer lags than samples.
    small = StatisticsRows((structures,), lambda block: two_point_stats(block, cutoff=2), (5, 5, 1))
    monkeypatch.setattr(statistics_rows, "IN_MEMORY_BYTES", 0)
    np.testing.assert_allclose(small.components(6, np.ones((5, 5, 1))).components.shape, (6, 25))


@pytest.mark.parametrize("metric", ["plain", "lags"])
@pytest.mark.parametrize("n_components", [3, 9])
def test_moments_of_one_pass_give_the_components_of_all_rows(metric, n_components, monkeypatch) -> None:
    # With an autocorrelation each lag comes twice: 13 of the 25 variances are not zero.
    structures, calls = blobs(90, (12, 12), width=1.0), []

    def counted(block):
        calls.append(len(block))
        return two_point_stats(block, cutoff=2)

    f = two_point_stats(structures, cutoff=2).reshape(90, 25).astype(np.float64)
    weights = np.ones(25) if metric == "plain" else lag_weights(f.var(0).reshape(5, 5, 1), metric).ravel()
    _, singular, vectors = np.linalg.svd((f - f.mean(0)) * np.sqrt(weights), full_matrices=False)
    monkeypatch.setattr(statistics_rows, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(statistics_rows, "BLOCK_BYTES", 8 * 7 * 25)
    rows = StatisticsRows((structures,), counted, (5, 5, 1))
    found = rows.components(n_components, rows.weights(metric))
    assert sum(calls) == 90
    assert max(calls) == 7
    np.testing.assert_allclose(np.abs((found.components * vectors[:n_components]).sum(1)), 1, atol=1e-7)
    np.testing.assert_allclose(found.variance, singular[:n_components] ** 2 / 89, rtol=1e-5)
    np.testing.assert_allclose(found.ratio, (singular**2 / (singular**2).sum())[:n_components], rtol=1e-5)
    np.testing.assert_allclose(found.mean, f.mean(0), atol=1e-9)
