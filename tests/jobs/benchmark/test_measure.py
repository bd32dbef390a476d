"""The numbers of a benchmark equal those computed on whole arrays, and known answers on made-up reconstructions."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import load, open_structures
from matvae.data import sample_blocks as blocks_module
from matvae.evaluate import count_lines, line_element, register
from matvae.jobs.benchmark import measure as benchmark_measure
from matvae.jobs.benchmark.measure import Measured, by_number, measure_lines, measure_pca, published_row
from matvae.jobs.measure import pca_like


@pytest.fixture
def estimator(lined, monkeypatch):
    # Blocks of five samples.
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 4 * 256 * 5)
    return load(lined / "m.matvae")


def test_numbers_equal_those_of_whole_arrays(estimator, lined):
    test, element, seen = open_structures(lined / "test.zarr"), line_element((16, 16)), []
    found = measure_lines(estimator, test, method="m", element=element, progress=lambda *done: seen.append(done))
    X = test.data.compute()
    z = estimator.transform(X)
    made = estimator.inverse_transform(z)
    f, g, soft = (
        np.asarray(a, float) for a in (*map(estimator.statistics, (X, made)), estimator.inverse_statistics(z))
    )

    def errors(other):
        return np.linalg.norm((f - other).reshape(24, -1), axis=1) / np.linalg.norm(f.reshape(24, -1), axis=1)

    np.testing.assert_allclose(found.latents, z, atol=1e-5)
    np.testing.assert_allclose(found.errors, errors(g), rtol=1e-4)
    np.testing.assert_array_equal(found.true, count_lines(X, element=element))
    np.testing.assert_array_equal(found.found, count_lines(made, element=element))
    np.testing.assert_allclose(found.fractions, np.stack([X.mean((1, 2)), made.mean((1, 2))], 1))
    np.testing.assert_allclose(found.means["original"], X.mean(0))
    np.testing.assert_allclose(found.means["reconstruction"], made.mean(0))
    np.testing.assert_allclose(found.means["registered"], register(made, X).mean(0))
    row = found.row
    assert (row["method"], row["n_components"], row["n_samples"]) == ("m", 3, 24)
    assert row["structure_error"] == pytest.approx(errors(g).mean(), rel=1e-4)
    assert row["decoded_error"] == pytest.approx(errors(soft).mean(), rel=1e-4)
    n, m = (a.sum((1, 2)).astype(float) for a in (X, made))
    assert row["volume_fraction_difference"] == pytest.approx(100 * (abs(n - m) / n).mean())
    assert row["number"] == pytest.approx(100 * (found.true.sum(1) == found.found.sum(1)).mean())
    assert seen[-1] == (24, 24)


def test_pca_makes_structures_of_the_first_only(estimator, lined, monkeypatch):
    monkeypatch.setattr(benchmark_measure, "PCA_STRUCTURES", 7)
    test = open_structures(lined / "test.zarr")
    pca = pca_like(estimator, 3).fit(open_structures(lined / "train.zarr").data)
    row = measure_pca(pca, test, element=3)
    assert (row["method"], row["n_samples"]) == ("PCA (3)", 7)
    X = test.data.compute()
    f = np.asarray(pca.statistics(X), float).reshape(24, -1)
    g = np.asarray(pca.inverse_statistics(pca.transform(X)), float).reshape(24, -1)
    assert row["decoded_error"] == pytest.approx(
        np.mean(np.linalg.norm(f - g, axis=1) / np.linalg.norm(f, axis=1)), rel=1e-4
    )
    assert row["structure_error"] > 0


def test_every_row_has_the_same_keys(estimator, lined):
    row = measure_lines(estimator, open_structures(lined / "test.zarr"), method="m", element=3).row
    published = published_row()
    assert set(published) == {*row, "published"}
    assert (published["orientation"], published["number"], published["volume_fraction_difference"]) == (98, 63, 17)


def test_shares_by_number_of_lines():
    """Two structures with one line, one right; two with two, both right in number and one in orientation."""
    measured = Measured(
        row={},
        latents=np.zeros((4, 1)),
        errors=np.array([0.1, 0.3, 0.2, 0.4]),
        true=np.array([[1, 0], [0, 1], [1, 1], [2, 0]]),
        found=np.array([[1, 0], [4, 5], [2, 0], [2, 0]]),
        fractions=np.array([[0.1, 0.1], [0.1, 0.2], [0.2, 0.1], [0.2, 0.2]]),
        means={},
    )
    one, two = by_number(measured)
    assert (one["lines"], one["n_samples"], one["number"], one["orientation"]) == (1, 2, 50, 50)
    assert one["volume_fraction_difference"] == pytest.approx(50)
    assert one["structure_error"] == pytest.approx(0.2)
    assert one["found"] == [0, 1, 0, 0, 0, 0, 1]
    assert (two["lines"], two["number"], two["orientation"]) == (2, 100, 50)
    assert two["found"] == [0, 0, 2, 0, 0, 0, 0]
