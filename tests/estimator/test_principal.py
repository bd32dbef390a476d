"""Principal components computed in passes over blocks equal those of a full singular value decomposition."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from matvae.estimator import principal
from matvae.estimator.principal import direct_components, iteration_bytes, principal_components


def in_blocks(rows: np.ndarray, size: int = 7):
    def start() -> Iterable[np.ndarray]:
        return (rows[i : i + size] for i in range(0, len(rows), size))

    return start


def oracle(rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Components, variances and explained shares from a decomposition of all rows at once."""
    _, values, vectors = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    signs = np.sign(np.take_along_axis(vectors, np.abs(vectors).argmax(1)[:, None], axis=1))
    return (vectors * signs)[:k], (values**2)[:k] / (len(rows) - 1), (values**2 / (values**2).sum())[:k]


def decaying(n: int, n_features: int, decay: float, seed: int = 0) -> np.ndarray:
    """Rows with principal variances that decay as a power of their rank, about a mean other than zero."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.standard_normal((n_features, n_features)))[0]
    spread = np.arange(1, n_features + 1.0) ** -decay
    return 3.0 + (rng.standard_normal((n, n_features)) * spread) @ directions


@pytest.mark.parametrize(("n", "n_features"), [(90, 40), (30, 80), (200, 120)])
@pytest.mark.parametrize("decay", [0.5, 1.5])
@pytest.mark.parametrize("k", [1, 5, 12])
@pytest.mark.parametrize("compute", [principal_components, direct_components])
def test_components_equal_those_of_a_full_decomposition(
    compute: Callable, n: int, n_features: int, decay: float, k: int
) -> None:
    rows = decaying(n, n_features, decay)
    found = compute(in_blocks(rows), n, k)
    components, variances, shares = oracle(rows, k)
    np.testing.assert_allclose(found.mean, rows.mean(0), atol=1e-12)
    np.testing.assert_allclose(found.components, components, atol=1e-5)
    np.testing.assert_allclose(found.variance, variances, rtol=1e-8)
    np.testing.assert_allclose(found.ratio, shares, rtol=1e-8)
    np.testing.assert_allclose(found.components @ found.components.T, np.eye(k), atol=1e-12)


@pytest.mark.parametrize("compute", [principal_components, direct_components])
def test_all_components_recover_the_rows(compute: Callable) -> None:
    rows = decaying(9, 30, 1.0)
    found = compute(in_blocks(rows), 9, 9)
    scores = (rows - found.mean) @ found.components.T
    np.testing.assert_allclose(found.mean + scores @ found.components, rows, atol=1e-10)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_rows_have_no_variance(value: float) -> None:
    found = principal_components(in_blocks(np.full((20, 15), value)), 20, 3)
    np.testing.assert_allclose(found.variance, 0, atol=1e-25)
    assert np.isfinite(found.components).all()
    assert np.isfinite(found.ratio).all()


def test_components_are_accurate_if_rows_are_sorted_by_kind() -> None:
    rows = np.concatenate([decaying(60, 50, 1.0, seed) + seed for seed in range(3)])
    found = principal_components(in_blocks(rows), len(rows), 4)
    np.testing.assert_allclose(found.components, oracle(rows, 4)[0], atol=1e-5)


def test_missing_convergence_is_reported_in_a_warning(monkeypatch) -> None:
    monkeypatch.setattr(principal, "MAX_PASSES", 1)
    rows = np.random.default_rng(0).standard_normal((300, 200))
    with pytest.warns(RuntimeWarning, match=r"have not converged after 1 passes .* error is up to \d"):
        principal_components(in_blocks(rows), 300, 3)


@pytest.mark.parametrize(("n", "n_features", "k"), [(90, 8000, 12), (200, 6000, 40)])
def test_memory_is_estimated_from_above_and_no_more_than_twice(n, n_features, k):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n, 60)) @ rng.normal(size=(60, n_features)) + 0.3 * rng.normal(size=(n, n_features))
    tracemalloc.start()
    try:
        principal_components(in_blocks(rows), n, k)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 0.5 * iteration_bytes(n, n_features, k) < peak < 1.1 * iteration_bytes(n, n_features, k)
