"""Measurements of a benchmark, compared with computations on whole arrays and with known results."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from matvae import load, open_structures
from matvae.data import sample_blocks
from matvae.evaluate import count_lines, line_element, register
from matvae.evaluate.baseline import PCABaseline, pca_like
from matvae.jobs.benchmark import measure as benchmark_measure
from matvae.jobs.benchmark.measure import (
    PUBLISHED,
    LineMeasurement,
    by_number,
    measure_lines,
    pca_row,
    result_row,
)


@pytest.fixture
def estimator(lined, monkeypatch):
    # Blocks of five samples.
    monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 4 * 256 * 5)
    return load(lined / "m.matvae")


def test_measurements_equal_those_of_whole_arrays(estimator, lined):
    test, element, progress = open_structures(lined / "test.zarr"), line_element((16, 16)), []
    measured = measure_lines(estimator, test, element=element, progress=lambda *done: progress.append(done))
    X = test.data.compute()
    z = estimator.transform(X)
    reconstructions = estimator.inverse_transform(z)
    f, g, decoded = (
        np.asarray(a, float)
        for a in (*map(estimator.statistics, (X, reconstructions)), estimator.inverse_statistics(z))
    )

    def errors(other):
        return np.linalg.norm((f - other).reshape(24, -1), axis=1) / np.linalg.norm(f.reshape(24, -1), axis=1)

    np.testing.assert_allclose(measured.measurement.latents, z, atol=1e-5)
    np.testing.assert_allclose(measured.measurement.errors, errors(g), rtol=1e-4)
    true, counted = measured.lines.numbers
    np.testing.assert_array_equal(true, count_lines(X, element=element))
    np.testing.assert_array_equal(counted, count_lines(reconstructions, element=element))
    np.testing.assert_allclose(measured.means["original"], X.mean(0))
    np.testing.assert_allclose(measured.means["reconstruction"], reconstructions.mean(0))
    np.testing.assert_allclose(measured.means["registered"], register(reconstructions, X).mean(0))
    row = result_row(measured, "m")
    assert (row["method"], row["n_components"], row["n_samples"]) == ("m", 3, 24)
    assert row["structure_error"] == pytest.approx(errors(g).mean(), rel=1e-4)
    assert row["decoded_error"] == pytest.approx(errors(decoded).mean(), rel=1e-4)
    n, m = (a.sum((1, 2)).astype(float) for a in (X, reconstructions))
    assert row["volume_fraction_difference"] == pytest.approx(100 * (abs(n - m) / n).mean())
    assert row["number"] == pytest.approx(100 * (true.sum(1) == counted.sum(1)).mean())
    assert progress[-1] == (24, 24)


def test_pca_reconstructs_only_the_first_structures(estimator, lined, monkeypatch):
    monkeypatch.setattr(benchmark_measure, "PCA_STRUCTURES", 7)
    test = open_structures(lined / "test.zarr")
    baseline = PCABaseline(pca_like(estimator, 3).fit(open_structures(lined / "train.zarr").data))
    measured = measure_lines(estimator, test, baseline, element=3)
    row = pca_row(baseline, measured.measurement, test, element=3)
    assert (row["method"], row["n_samples"]) == ("PCA (3)", 7)
    X, pca = test.data.compute(), baseline.pca
    f = np.asarray(pca.statistics(X), float).reshape(24, -1)
    g = np.asarray(pca.inverse_statistics(pca.transform(X)), float).reshape(24, -1)
    assert row["decoded_error"] == pytest.approx(
        np.mean(np.linalg.norm(f - g, axis=1) / np.linalg.norm(f, axis=1)), rel=1e-4
    )
    assert row["structure_error"] > 0


def test_every_row_has_the_same_keys(estimator, lined):
    row = result_row(measure_lines(estimator, open_structures(lined / "test.zarr"), element=3), "m")
    assert set(PUBLISHED) == {*row, "published"}
    assert (PUBLISHED["orientation"], PUBLISHED["number"], PUBLISHED["volume_fraction_difference"]) == (98, 63, 17)


def test_percentages_by_number_of_lines():
    """Of two structures with one line, one is right; of two with two lines, both in number and one in orientation."""
    true = np.array([[1, 0], [0, 1], [1, 1], [2, 0]])
    counted = np.array([[1, 0], [4, 5], [2, 0], [2, 0]])
    fractions = np.array([[0.1, 0.1, 0.2, 0.2], [0.1, 0.2, 0.1, 0.2]])[..., None]
    measurement = SimpleNamespace(errors=np.array([0.1, 0.3, 0.2, 0.4]), volume_fractions=fractions)
    one_line, two_lines = by_number(LineMeasurement(measurement, SimpleNamespace(numbers=(true, counted)), means={}))
    assert (one_line["lines"], one_line["n_samples"], one_line["number"], one_line["orientation"]) == (1, 2, 50, 50)
    assert one_line["volume_fraction_difference"] == pytest.approx(50)
    assert one_line["structure_error"] == pytest.approx(0.2)
    assert one_line["found"] == [0, 1, 0, 0, 0, 0, 1]
    assert (two_lines["lines"], two_lines["number"], two_lines["orientation"]) == (2, 100, 50)
    assert two_lines["found"] == [0, 0, 2, 0, 0, 0, 0]
