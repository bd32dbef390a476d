"""PyMKS's own transformers compute the same values, and work with current scikit-learn."""

from __future__ import annotations

import pickle

import dask.array as da
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from matvae import StatsVAETransformer, TwoPointPCA
from matvae_pymks import FlattenTransformer, LegendreTransformer, PrimitiveTransformer, TwoPointCorrelation
from matvae_pymks.upstream import import_pymks

pymks = import_pymks()

LABELS = (np.random.default_rng(0).random((12, 9, 8)) < 0.4).astype(int)


@pytest.fixture(name="X", params=["numpy", "dask"])
def numpy_or_dask(request):
    return LABELS if request.param == "numpy" else da.from_array(LABELS, chunks=(5, 9, 8))


def test_results_equal_those_of_pymks(X):
    ours, theirs = LegendreTransformer(n_state=3), pymks.LegendreTransformer(n_state=3)
    np.testing.assert_array_equal(ours.transform(X), theirs.transform(X))
    states = PrimitiveTransformer().transform(X)
    settings = {"correlations": [(0, 0), (0, 1)], "periodic_boundary": False, "cutoff": 3}
    ours, theirs = TwoPointCorrelation(**settings), pymks.TwoPointCorrelation(**settings)
    np.testing.assert_array_equal(ours.transform(states), theirs.transform(states))


@pytest.mark.parametrize("step", [LegendreTransformer(n_state=4, min_=-1), TwoPointCorrelation(cutoff=2)])
def test_clones_and_pickles_preserve_the_parameters(step):
    for copy in (clone(step), pickle.loads(pickle.dumps(step))):
        assert type(copy) is type(step)
        assert copy.get_params() == step.get_params()


def test_statistics_can_be_the_last_step(X):
    pipeline = make_pipeline(PrimitiveTransformer(), TwoPointCorrelation(correlations=[(1, 1)], cutoff=2)).fit(X)
    statistics = np.asarray(pipeline.transform(X))
    assert statistics.shape == (12, 5, 5, 1)
    np.testing.assert_allclose(statistics[:, 2, 2, 0], LABELS.mean(axis=(1, 2)))


@pytest.mark.parametrize(
    "statistics", [TwoPointCorrelation(cutoff=2), pymks.TwoPointCorrelation(cutoff=2)], ids=["ours", "PyMKS's"]
)
@pytest.mark.parametrize(
    "discretise",
    [PrimitiveTransformer(), pymks.PrimitiveTransformer(), LegendreTransformer(), pymks.LegendreTransformer()],
    ids=["ours", "PyMKS's", "Legendre", "PyMKS's Legendre"],
)
def test_pymks_workflow_runs(X, discretise, statistics):
    """Steps of both packages can be combined and flattened for PCA."""
    pipeline = make_pipeline(discretise, statistics, FlattenTransformer()).fit(X)
    flat = np.asarray(pipeline.transform(X))
    by_pymks = pymks.TwoPointCorrelation(cutoff=2).transform(discretise.transform(X))
    np.testing.assert_allclose(flat, np.asarray(by_pymks).reshape(12, -1), atol=1e-15)


@pytest.mark.parametrize("discretise", [PrimitiveTransformer(), pymks.PrimitiveTransformer()], ids=["ours", "PyMKS's"])
def test_states_are_accepted_by_matvae(X, discretise):
    vae = StatsVAETransformer(n_components=2, state_axis=-1, decoder="dense", max_epochs=1, width=16, random_state=0)
    latents = make_pipeline(discretise, vae).fit(X).transform(X)
    by_labels = StatsVAETransformer(n_components=2, decoder="dense", max_epochs=1, width=16, random_state=0).fit(LABELS)
    np.testing.assert_allclose(latents, by_labels.transform(LABELS), atol=1e-3)
    scores = make_pipeline(discretise, TwoPointPCA(n_components=2, state_axis=-1)).fit(X).transform(X)
    expected = TwoPointPCA(n_components=2).fit(LABELS).transform(LABELS)
    np.testing.assert_allclose(np.abs(scores), np.abs(expected), atol=1e-4)


def test_legendre_states_are_accepted_by_pca(X):
    """TwoPointPCA accepts local states that are not fractions, such as Legendre coefficients."""
    scores = make_pipeline(LegendreTransformer(), TwoPointPCA(n_components=2, state_axis=-1)).fit(X).transform(X)
    assert scores.shape == (12, 2)
    assert np.isfinite(np.asarray(scores)).all()
