"""Median errors of statistics at all lags and at short ones."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import TwoPointPCA, two_point_stats
from matvae.evaluate.lag_table import DecodedErrors, LagErrors, another_window, short_lags
from matvae.evaluate.measure import measure


@pytest.mark.parametrize(
    ("shape", "radii"), [((65, 65), (8, 16)), ((64, 64), (8, 16)), ((9, 33), (1, 2)), ((5,), (1,)), ((3, 3), ())]
)
def test_short_lags_are_a_quarter_and_a_half_of_the_largest(shape, radii):
    assert short_lags(shape) == radii


@pytest.fixture
def statistics(training):
    return np.asarray(two_point_stats(training.data.compute(), phases=2))


def test_medians_are_those_of_whole_arrays_however_the_set_is_divided(statistics):
    f, g, mean = statistics[:11], statistics[11:22], statistics.mean(0)
    errors = LagErrors(mean)
    errors.add(f[:4], g[:4])
    errors.add(f[4:], g[4:])
    summary = errors.summary()
    flat_f, flat_g = (x.reshape(11, -1) for x in (f, g))
    difference = np.linalg.norm(flat_f - flat_g, axis=1)
    assert summary["all"]["centred"] == pytest.approx(
        np.median(difference / np.linalg.norm(flat_f - mean.ravel(), axis=1)), rel=1e-5
    )
    assert summary["all"]["relative"] == pytest.approx(np.median(difference / np.linalg.norm(flat_f, axis=1)), rel=1e-5)
    assert list(summary) == ["all", *map(str, short_lags(f.shape[1:-1]))]


def test_nothing_added_has_no_errors(statistics):
    assert LagErrors(statistics.mean(0)).summary() is None


def test_the_training_mean_has_error_one_and_the_truth_none(model, training, unseen):
    mean = np.asarray(model.statistics(training.data.compute())).mean(0)
    of_mean = DecodedErrors.of_mean(mean)
    exact = DecodedErrors(lambda trip: trip.statistics, mean)
    measure(model, unseen, of_mean, exact)
    assert {errors["centred"] for errors in of_mean.by_lag.summary().values()} == {1.0}
    assert {value for errors in exact.by_lag.summary().values() for value in errors.values()} == {0.0}


@pytest.mark.parametrize("metric", ["plain", "lags"])
def test_pca_as_an_observer_has_the_errors_of_pca_measured_alone(model, training, unseen, metric):
    pca = TwoPointPCA(3, phases=2, metric=metric).fit(training.data)
    X = unseen.data.compute()
    f = pca.statistics(X)
    decoded = pca.inverse_statistics(pca.scores_of(f))
    np.testing.assert_allclose(decoded, pca.inverse_statistics(pca.transform(X)), atol=1e-5)
    observer = DecodedErrors.of_pca(pca)
    scatter = measure(model, unseen, observer).scatter
    alone = measure(pca, unseen).decoded
    assert observer.pooled.summary(scatter) == pytest.approx(alone, abs=1e-5)


def test_another_window_is_the_median_over_all_pairs(statistics):
    f, mean = statistics[:5].astype(float), statistics.mean(0)
    slow = [np.linalg.norm(f[j] - f[i]) / np.linalg.norm(f[j] - mean) for i in range(5) for j in range(5) if i != j]
    assert another_window(f, mean)["all"]["centred"] == pytest.approx(np.median(slow), rel=1e-5)
    assert another_window(f[:1], mean) is None
