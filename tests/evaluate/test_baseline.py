"""PCA that observes the measurement of a model has the errors of a PCA on its own."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, Structures, TwoPointPCA
from matvae.evaluate.baseline import PCABaseline, pca_like, with_fewer
from matvae.evaluate.measure import measure


@pytest.fixture
def observed(model, training, unseen, block_of):
    """Baseline of 4 components, and the measurement that it observed."""
    block_of(5)
    baseline = PCABaseline(pca_like(model, 4).fit(training.data))
    return baseline, measure(model, unseen, baseline)


def centred(f, g):
    f, g = (a.reshape(len(a), -1).astype(float) for a in (f, g))
    return np.linalg.norm(f - g) / np.linalg.norm(f - f.mean(0))


def test_errors_are_those_of_pca_measured_alone(observed, unseen):
    baseline, measurement = observed
    alone = measure(baseline.pca, unseen)
    assert baseline.error.summary(measurement.scatter) == pytest.approx(alone.decoded, abs=1e-5)
    np.testing.assert_allclose(baseline.scores, alone.latents, atol=1e-4)


def test_errors_of_the_mean_are_those_of_whole_arrays(observed, model, training, unseen):
    baseline, measurement = observed
    f = model.statistics(unseen.data.compute())
    mean = np.broadcast_to(model.statistics(training.data.compute()).mean(0), f.shape)
    assert baseline.mean_error.summary(measurement.scatter)["centred_error"] == pytest.approx(
        centred(f, mean), abs=1e-5
    )
    relative = np.linalg.norm((f - mean).reshape(21, -1), axis=1) / np.linalg.norm(f.reshape(21, -1), axis=1)
    np.testing.assert_allclose(baseline.mean_error.relative, relative, rtol=1e-4)


def test_errors_with_fewer_components_are_those_of_a_fit_with_as_many(observed, model, training, unseen):
    baseline, measurement = observed
    errors = baseline.centred_errors(measurement.scatter)
    assert len(errors) == 5
    assert errors[0] == pytest.approx(baseline.mean_error.summary(measurement.scatter)["centred_error"], abs=1e-5)
    for n in (1, 2, 3, 4):
        expected = measure(TwoPointPCA(n, phases=2).fit(training.data), unseen).decoded["centred_error"]
        assert errors[n] == pytest.approx(expected, abs=1e-4)


def test_the_mean_of_the_set_itself_has_centred_error_one(unseen):
    pca = TwoPointPCA(1, phases=2).fit(unseen.data)
    baseline = PCABaseline(pca)
    scatter = measure(pca, unseen, baseline).scatter
    assert baseline.mean_error.summary(scatter)["centred_error"] == pytest.approx(1.0, abs=1e-6)
    assert baseline.error.summary(scatter)["centred_error"] < 1.0


def test_equal_structures_have_no_centred_errors(model, training, unseen):
    equal = Structures(np.repeat(unseen.data[:1].compute(), 4, axis=0), unseen.grid)
    baseline = PCABaseline(pca_like(model, 2).fit(training.data))
    assert baseline.centred_errors(measure(model, equal, baseline).scatter) is None


def test_pca_has_the_statistics_of_the_model():
    model = StatsVAETransformer(periodic=False, cutoff=2, correlations=[(1, 2)])
    model.grid_ = Grid((8, 8), phases=3, periodic=False)
    pca = pca_like(model, 5)
    assert (pca.n_components, pca.phases, pca.periodic, pca.cutoff, pca.correlations) == (5, 3, False, 2, [(1, 2)])


def test_the_first_components_are_those_of_a_smaller_fit(model, training, unseen):
    X = unseen.data.compute()
    full, alone = (pca_like(model, n).fit(training.data) for n in (6, 3))
    fewer = with_fewer(full, 3)
    np.testing.assert_allclose(fewer.transform(X), alone.transform(X), atol=1e-4)
    np.testing.assert_allclose(fewer.explained_variance_ratio_, alone.explained_variance_ratio_, rtol=1e-6)
    f, g = (pca.inverse_statistics(pca.transform(X)) for pca in (fewer, alone))
    np.testing.assert_allclose(f, g, atol=1e-5)
    assert fewer.get_params() == alone.get_params()
    assert len(full.components_) == full.n_components == 6
