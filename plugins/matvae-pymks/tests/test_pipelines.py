"""PCA and VAE behind PyMKS's steps: both routes, numpy and dask, and what scikit-learn does with pipelines."""

from __future__ import annotations

import pickle

import dask.array as da
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from matvae import StatsVAETransformer, TwoPointPCA, two_point_stats
from matvae.errors import InputError
from matvae_pymks import check_statistics, pca_pipeline, vae_pipeline

ROUTES = [{}, {"input": "statistics", "sample_shape": (8, 6)}]
SMALL = {"max_epochs": 1, "width": 16, "random_state": 0}


@pytest.fixture
def labels() -> np.ndarray:
    """24 structures ``(sample, y, x)`` of two phases, in stripes and speckles."""
    rng = np.random.default_rng(0)
    stripes = (np.indices((8, 6))[0] // rng.integers(1, 5, (24, 1, 1))) % 2
    return np.where(rng.random((24, 8, 6)) < 0.2, 1 - stripes, stripes)


def pipelines(**options):
    return [pca_pipeline(2, **options), vae_pipeline(2, **options, **SMALL)]


@pytest.mark.parametrize("route", ROUTES)
def test_both_have_the_same_steps_but_the_last(route):
    by_pca, by_vae = pipelines(**route)
    names = ["discretise", "reduce"] if not route else ["discretise", "correlate", "check", "reduce"]
    assert [name for name, _ in by_pca.steps] == [name for name, _ in by_vae.steps] == names
    assert repr(by_pca.steps[:-1]) == repr(by_vae.steps[:-1])
    assert isinstance(by_pca["reduce"], TwoPointPCA)
    assert isinstance(by_vae["reduce"], StatsVAETransformer)


@pytest.mark.parametrize("route", ROUTES)
def test_numpy_and_dask_give_the_same_lazily(labels, route):
    chunked = da.from_array(labels, chunks=(10, 8, 6))
    for pipeline in pipelines(**route):
        Z = pipeline.fit(labels).transform(labels)
        assert isinstance(Z, da.Array)
        assert Z.shape == (24, 2)
        again = pipeline.transform(chunked)
        assert again.chunks[0] == (10, 10, 4)
        np.testing.assert_allclose(again, Z, atol=1e-12)
    fitted = pca_pipeline(2, **route).fit(chunked).transform(chunked)
    np.testing.assert_allclose(fitted, pca_pipeline(2, **route).fit(labels).transform(labels), atol=1e-9)


@pytest.mark.parametrize("route", ROUTES)
def test_the_last_step_swaps_in_a_grid_search(labels, route):
    by_pca, by_vae = pipelines(**route)
    grid = {"reduce": [by_pca["reduce"], by_vae["reduce"]]}
    search = GridSearchCV(by_pca, grid, cv=2, error_score="raise").fit(labels)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert (scores < 0).all()
    np.testing.assert_allclose(search.score(labels), search.best_estimator_.score(labels))


def test_whole_pipelines_swap_in_a_grid_search(labels):
    search = GridSearchCV(
        Pipeline([("features", pca_pipeline(2)), ("model", Ridge())]),
        {"features": [*pipelines(), *pipelines(**ROUTES[1])], "model__alpha": [1e-3]},
        cv=2,
        error_score="raise",
    ).fit(labels, labels.mean((1, 2)))
    assert len(search.cv_results_["params"]) == 4
    # Volume fractions follow from scores of the statistics.
    assert search.best_score_ > 0.5


@pytest.mark.parametrize("route", ROUTES)
def test_clone_and_pickle_keep_everything(labels, route):
    for pipeline in [*pipelines(**route), pca_pipeline(2, basis="legendre", **route)]:
        assert repr(clone(pipeline)) == repr(pipeline)
        Z = pipeline.fit(labels).transform(labels)
        again = pickle.loads(pickle.dumps(pipeline))
        np.testing.assert_allclose(again.transform(labels), Z, atol=1e-12)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("lazy", [False, True])
def test_the_vae_pipeline_goes_back_to_values(labels, route, lazy):
    values = np.where(labels == 1, 3.0, -1.0)
    X = da.from_array(values, chunks=(10, 8, 6)) if lazy else values
    pipeline = vae_pipeline(2, min_=-1.0, max_=3.0, **route, **SMALL).fit(X)
    Z = pipeline.transform(X)
    back = pipeline.inverse_transform(Z if lazy else np.asarray(Z))
    assert isinstance(back, da.Array) == lazy
    assert back.shape == (24, 8, 6)
    back = np.asarray(back)
    assert set(np.unique(back)) <= {-1.0, 3.0}
    # The reducer's own structures, as values.
    states = pipeline["reduce"].inverse_transform(np.asarray(Z))
    made = states if route else states.argmax(-1)
    np.testing.assert_array_equal(back == 3.0, made == 1)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("lazy", [False, True])
def test_the_pca_pipeline_goes_back_to_values(labels, route, lazy):
    values = np.where(labels == 1, 3.0, -1.0)
    X = da.from_array(values, chunks=(10, 8, 6)) if lazy else values
    pipeline = pca_pipeline(20, min_=-1.0, max_=3.0, **route).fit(X)
    Z = pipeline.transform(X)
    back = pipeline.inverse_transform(Z if lazy else np.asarray(Z))
    assert isinstance(back, da.Array) == lazy
    assert back.shape == (24, 8, 6)
    back = np.asarray(back)
    assert set(np.unique(back)) <= {-1.0, 3.0}
    # Structures with the statistics of those that went in, and with their volume fractions.
    wanted, reached = (two_point_stats((a == 3.0).astype(np.uint8), phases=2, cutoff=2) for a in (values, back))
    shuffled = np.random.default_rng(0).permuted((back == 3.0).reshape(24, -1), axis=1).reshape(back.shape)
    random = two_point_stats(shuffled.astype(np.uint8), phases=2, cutoff=2)
    assert np.linalg.norm(wanted - reached) < 0.4 * np.linalg.norm(wanted - random)
    np.testing.assert_allclose((back == 3.0).mean((1, 2)), labels.mean((1, 2)), atol=0.06)


def test_legendre_coefficients_lead_nowhere(labels):
    pipeline = pca_pipeline(2, basis="legendre").fit(labels)
    assert not hasattr(pipeline, "inverse_transform")


def test_three_states_go_back_to_their_values():
    labels = np.random.default_rng(0).integers(0, 3, (12, 6, 6))
    for route in ({}, {"input": "statistics", "sample_shape": (6, 6)}):
        by_vae = vae_pipeline(2, n_state=3, max_=2.0, **route, **SMALL)
        for pipeline in (pca_pipeline(2, n_state=3, max_=2.0, **route), by_vae):
            pipeline.fit(labels)
            back = np.asarray(pipeline.inverse_transform(np.asarray(pipeline.transform(labels))))
            assert set(np.unique(back)) <= {0.0, 1.0, 2.0}
            assert pipeline["reduce"].grid_.phases == 3


def test_routes_agree_where_their_lags_do(labels):
    """matvae's statistics of states are PyMKS's, so the scores are the same."""
    by_structures = pca_pipeline(3, cutoff=2)
    by_statistics = pca_pipeline(3, cutoff=2, input="statistics", sample_shape=(8, 6))
    expected = np.asarray(by_structures.fit_transform(labels))
    np.testing.assert_allclose(by_statistics.fit_transform(labels), expected, atol=1e-9)


def test_the_default_cutoff_of_statistics_is_explicit(labels):
    pipeline = pca_pipeline(2, **ROUTES[1])
    assert pipeline["correlate"].cutoff == pipeline["check"].cutoff == pipeline["reduce"].cutoff == 2
    assert pipeline.fit(labels)["reduce"].mean_.shape == (5, 5, 1)


@pytest.mark.parametrize("periodic", [True, False])
def test_stored_statistics_go_into_the_last_steps(labels, periodic):
    """Whole statistics of matvae, PyMKS's crop of them: all the same to ``pipeline[2:]``."""
    pipeline = pca_pipeline(2, input="statistics", sample_shape=(8, 6), periodic=periodic)
    expected = np.asarray(pipeline.fit_transform(labels))
    stored = two_point_stats(labels.astype(float), periodic=periodic)
    assert check_statistics(stored, sample_shape=(8, 6), periodic=periodic).cutoff is None
    np.testing.assert_allclose(pipeline[2:].transform(stored), expected, atol=1e-9)


def test_stored_statistics_with_zero_lag_at_the_corner_are_refused(labels):
    stored = np.fft.ifftshift(two_point_stats(labels.astype(float)), axes=(1, 2))
    with pytest.raises(InputError, match=r"numpy\.fft\.fftshift"):
        pca_pipeline(2, **ROUTES[1])[2:].fit(stored)


def test_stored_statistics_go_back_to_labels(labels):
    stored = two_point_stats(labels.astype(float), cutoff=2)
    steps = vae_pipeline(2, **ROUTES[1], **SMALL)[2:].fit(stored)
    made = steps.inverse_transform(steps.transform(stored))
    assert made.shape == (24, 8, 6)
    assert set(np.unique(made)) <= {0, 1}


def test_one_and_three_dimensions():
    rng = np.random.default_rng(0)
    for space in [(10,), (4, 5, 6)]:
        X = rng.integers(0, 2, (8, *space))
        for route in ({}, {"input": "statistics", "sample_shape": space}):
            assert pca_pipeline(2, **route).fit(X).transform(X).shape == (8, 2)


def test_legendre_scores_are_those_of_its_coefficients(labels):
    """The first-degree coefficient is 1.5 (2 x - 1), and statistics are of second order in it."""
    expected = np.asarray(pca_pipeline(2).fit_transform(2.0 * labels - 1))
    states = pca_pipeline(2, basis="legendre")
    coefficients = np.asarray(states["discretise"].fit_transform(labels))
    np.testing.assert_allclose(coefficients[..., 1], 1.5 * (2 * labels - 1))
    direct = TwoPointPCA(2, correlations=[(0, 0)], state_axis=-1)
    scores = np.asarray(states.fit_transform(labels))
    signs = np.sign((scores * direct.fit_transform(coefficients[..., 1:])).sum(0))
    np.testing.assert_allclose(scores * signs, direct.transform(coefficients[..., 1:]), atol=1e-9)
    assert expected.shape == scores.shape


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"basis": "fourier"}, r"basis must be one of \('primitive', 'legendre'\)"),
        ({"input": "images"}, r"input must be one of \('structures', 'statistics'\)"),
        ({"input": "statistics"}, "which it crops. Pass sample_shape="),
        ({**ROUTES[1], "cutoff": 3}, "asks for lags beyond the window"),
        ({**ROUTES[1], "periodic": False, "cutoff": 3}, "crops larger ones unasked"),
        ({**ROUTES[1], "cutoff": (2, 1)}, "one cutoff for all axes, at most 2"),
        ({**ROUTES[1], "cutoff": -1}, "cutoff=-1"),
        ({"correlations": [(0, 2)]}, "there are only 2"),
        ({"state_axis": 1}, "The pipeline itself says state_axis and phases"),
    ],
)
@pytest.mark.parametrize("make", [pca_pipeline, vae_pipeline])
def test_what_contradicts_itself_is_refused_at_once(make, options, reason):
    with pytest.raises(InputError, match=reason):
        make(2, **options)


def test_the_vae_refuses_legendre_coefficients():
    with pytest.raises(InputError, match="makes fractions of local states"):
        vae_pipeline(2, basis="legendre")


def test_parameters_reach_the_last_step():
    assert vae_pipeline(3, beta=0.5)["reduce"].get_params()["beta"] == 0.5
    with pytest.raises(ValueError, match="Invalid parameter 'wdth'"):
        vae_pipeline(3, wdth=5)


def test_another_shape_than_named_is_refused(labels):
    for route in ({"sample_shape": (8, 8)}, {"input": "statistics", "sample_shape": (4, 4)}):
        with pytest.raises(InputError, match=r"\(8, 8\)|\(4, 4\)"):
            pca_pipeline(2, **route).fit(labels)
