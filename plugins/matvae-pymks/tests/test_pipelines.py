"""PCA and VAE after PyMKS's steps: structures or statistics, numpy or dask, and scikit-learn's uses of pipelines."""

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

INPUT_OPTIONS = [{}, {"input": "statistics", "sample_shape": (8, 6)}]
SMALL = {"decoder": "dense", "max_epochs": 1, "width": 16, "random_state": 0}


@pytest.fixture
def labels() -> np.ndarray:
    """Return 24 two-phase structures ``(sample, y, x)`` of stripes with noise."""
    rng = np.random.default_rng(0)
    stripes = (np.indices((8, 6))[0] // rng.integers(1, 5, (24, 1, 1))) % 2
    return np.where(rng.random((24, 8, 6)) < 0.2, 1 - stripes, stripes)


def pipelines(**options):
    return [pca_pipeline(2, **options), vae_pipeline(2, **options, **SMALL)]


@pytest.mark.parametrize("options", INPUT_OPTIONS)
def test_pipelines_differ_in_the_last_step_only(options):
    by_pca, by_vae = pipelines(**options)
    names = ["discretise", "reduce"] if not options else ["discretise", "correlate", "check", "reduce"]
    assert [name for name, _ in by_pca.steps] == [name for name, _ in by_vae.steps] == names
    assert repr(by_pca.steps[:-1]) == repr(by_vae.steps[:-1])
    assert isinstance(by_pca["reduce"], TwoPointPCA)
    assert isinstance(by_vae["reduce"], StatsVAETransformer)


@pytest.mark.parametrize("options", INPUT_OPTIONS)
def test_numpy_and_dask_agree_lazily(labels, options):
    chunked = da.from_array(labels, chunks=(10, 8, 6))
    for pipeline in pipelines(**options):
        Z = pipeline.fit(labels).transform(labels)
        assert isinstance(Z, da.Array)
        assert Z.shape == (24, 2)
        lazy = pipeline.transform(chunked)
        assert lazy.chunks[0] == (10, 10, 4)
        np.testing.assert_allclose(lazy, Z, atol=1e-12)
    scores = pca_pipeline(2, **options).fit(chunked).transform(chunked)
    np.testing.assert_allclose(scores, pca_pipeline(2, **options).fit(labels).transform(labels), atol=1e-9)


@pytest.mark.parametrize("options", INPUT_OPTIONS)
def test_last_steps_are_interchangeable_in_a_grid_search(labels, options):
    by_pca, by_vae = pipelines(**options)
    grid = {"reduce": [by_pca["reduce"], by_vae["reduce"]]}
    search = GridSearchCV(by_pca, grid, cv=2, error_score="raise").fit(labels)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert (scores < 0).all()
    np.testing.assert_allclose(search.score(labels), search.best_estimator_.score(labels))


def test_pipelines_are_interchangeable_in_a_grid_search(labels):
    search = GridSearchCV(
        Pipeline([("features", pca_pipeline(2)), ("model", Ridge())]),
        {"features": [*pipelines(), *pipelines(**INPUT_OPTIONS[1])], "model__alpha": [1e-3]},
        cv=2,
        error_score="raise",
    ).fit(labels, labels.mean((1, 2)))
    assert len(search.cv_results_["params"]) == 4
    # The volume fraction is a function of the statistics.
    assert search.best_score_ > 0.5


@pytest.mark.parametrize("options", INPUT_OPTIONS)
def test_clones_and_pickles_are_equivalent(labels, options):
    for pipeline in [*pipelines(**options), pca_pipeline(2, basis="legendre", **options)]:
        assert repr(clone(pipeline)) == repr(pipeline)
        Z = pipeline.fit(labels).transform(labels)
        restored = pickle.loads(pickle.dumps(pipeline))
        np.testing.assert_allclose(restored.transform(labels), Z, atol=1e-12)


@pytest.mark.parametrize("options", INPUT_OPTIONS)
@pytest.mark.parametrize("lazy", [False, True])
def test_vae_pipeline_inverts_to_values(labels, options, lazy):
    values = np.where(labels == 1, 3.0, -1.0)
    X = da.from_array(values, chunks=(10, 8, 6)) if lazy else values
    pipeline = vae_pipeline(2, min_=-1.0, max_=3.0, **options, **SMALL).fit(X)
    Z = pipeline.transform(X)
    decoded = pipeline.inverse_transform(Z if lazy else np.asarray(Z))
    assert isinstance(decoded, da.Array) == lazy
    assert decoded.shape == (24, 8, 6)
    decoded = np.asarray(decoded)
    assert set(np.unique(decoded)) <= {-1.0, 3.0}
    # They are the structures that the reducer generates, as values.
    states = pipeline["reduce"].inverse_transform(np.asarray(Z))
    structures = states if options else states.argmax(-1)
    np.testing.assert_array_equal(decoded == 3.0, structures == 1)


@pytest.mark.parametrize("options", INPUT_OPTIONS)
@pytest.mark.parametrize("lazy", [False, True])
def test_pca_pipeline_inverts_to_values(labels, options, lazy):
    values = np.where(labels == 1, 3.0, -1.0)
    X = da.from_array(values, chunks=(10, 8, 6)) if lazy else values
    pipeline = pca_pipeline(20, min_=-1.0, max_=3.0, **options).fit(X)
    Z = pipeline.transform(X)
    decoded = pipeline.inverse_transform(Z if lazy else np.asarray(Z))
    assert isinstance(decoded, da.Array) == lazy
    assert decoded.shape == (24, 8, 6)
    decoded = np.asarray(decoded)
    assert set(np.unique(decoded)) <= {-1.0, 3.0}
    # The structures have the statistics and volume fractions of the input.
    target, achieved = (two_point_stats((a == 3.0).astype(np.uint8), phases=2, cutoff=2) for a in (values, decoded))
    shuffled = np.random.default_rng(0).permuted((decoded == 3.0).reshape(24, -1), axis=1).reshape(decoded.shape)
    random = two_point_stats(shuffled.astype(np.uint8), phases=2, cutoff=2)
    assert np.linalg.norm(target - achieved) < 0.4 * np.linalg.norm(target - random)
    np.testing.assert_allclose((decoded == 3.0).mean((1, 2)), labels.mean((1, 2)), atol=0.06)


def test_legendre_pipeline_has_no_inverse(labels):
    pipeline = pca_pipeline(2, basis="legendre").fit(labels)
    assert not hasattr(pipeline, "inverse_transform")


def test_three_states_are_inverted_to_their_values():
    labels = np.random.default_rng(0).integers(0, 3, (12, 6, 6))
    for options in ({}, {"input": "statistics", "sample_shape": (6, 6)}):
        by_vae = vae_pipeline(2, n_state=3, max_=2.0, **options, **SMALL)
        for pipeline in (pca_pipeline(2, n_state=3, max_=2.0, **options), by_vae):
            pipeline.fit(labels)
            decoded = np.asarray(pipeline.inverse_transform(np.asarray(pipeline.transform(labels))))
            assert set(np.unique(decoded)) <= {0.0, 1.0, 2.0}
            assert pipeline["reduce"].grid_.phases == 3


def test_both_inputs_give_the_same_scores_for_the_same_lags(labels):
    """Statistics of matvae and PyMKS agree, and so do the scores."""
    by_structures = pca_pipeline(3, cutoff=2)
    by_statistics = pca_pipeline(3, cutoff=2, input="statistics", sample_shape=(8, 6))
    expected = np.asarray(by_structures.fit_transform(labels))
    np.testing.assert_allclose(by_statistics.fit_transform(labels), expected, atol=1e-9)


def test_default_cutoff_of_statistics_is_explicit(labels):
    pipeline = pca_pipeline(2, **INPUT_OPTIONS[1])
    assert pipeline["correlate"].cutoff == pipeline["check"].cutoff == pipeline["reduce"].cutoff == 2
    assert pipeline.fit(labels)["reduce"].mean_.shape == (5, 5, 1)


@pytest.mark.parametrize("periodic", [True, False])
def test_last_steps_accept_stored_statistics(labels, periodic):
    """``pipeline[2:]`` crops complete statistics of matvae as PyMKS does."""
    pipeline = pca_pipeline(2, input="statistics", sample_shape=(8, 6), periodic=periodic)
    expected = np.asarray(pipeline.fit_transform(labels))
    stored = two_point_stats(labels.astype(float), periodic=periodic)
    assert check_statistics(stored, sample_shape=(8, 6), periodic=periodic).cutoff is None
    np.testing.assert_allclose(pipeline[2:].transform(stored), expected, atol=1e-9)


def test_stored_statistics_with_zero_lag_at_the_corner_are_refused(labels):
    stored = np.fft.ifftshift(two_point_stats(labels.astype(float)), axes=(1, 2))
    with pytest.raises(InputError, match=r"numpy\.fft\.fftshift"):
        pca_pipeline(2, **INPUT_OPTIONS[1])[2:].fit(stored)


def test_stored_statistics_are_inverted_to_labels(labels):
    stored = two_point_stats(labels.astype(float), cutoff=2)
    steps = vae_pipeline(2, **INPUT_OPTIONS[1], **SMALL)[2:].fit(stored)
    structures = steps.inverse_transform(steps.transform(stored))
    assert structures.shape == (24, 8, 6)
    assert set(np.unique(structures)) <= {0, 1}


def test_one_and_three_dimensions():
    rng = np.random.default_rng(0)
    for space in [(10,), (4, 5, 6)]:
        X = rng.integers(0, 2, (8, *space))
        for options in ({}, {"input": "statistics", "sample_shape": space}):
            assert pca_pipeline(2, **options).fit(X).transform(X).shape == (8, 2)


def test_legendre_scores_are_those_of_its_coefficients(labels):
    """The first-degree coefficient of x is 1.5 (2 x - 1), and its square is 2.25 for labels."""
    pipeline = pca_pipeline(2, basis="legendre")
    coefficients = np.asarray(pipeline["discretise"].fit_transform(labels))
    np.testing.assert_allclose(coefficients[..., 1], 1.5 * (2 * labels - 1))
    direct = TwoPointPCA(2, correlations=[(0, 0)], state_axis=-1)
    scores = np.asarray(pipeline.fit_transform(labels))
    signs = np.sign((scores * direct.fit_transform(coefficients[..., 1:])).sum(0))
    np.testing.assert_allclose(scores * signs, direct.transform(coefficients[..., 1:]), atol=1e-9)
    assert pipeline["reduce"].mean_[4, 3, 0] == pytest.approx(2.25)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"basis": "fourier"}, "basis must be one of 'primitive', 'legendre', but 'fourier' was given"),
        ({"input": "images"}, "input must be one of 'structures', 'statistics', but 'images' was given"),
        ({"input": "statistics"}, "which are cropped. Pass sample_shape="),
        ({**INPUT_OPTIONS[1], "cutoff": 3}, "asks for lags beyond the window"),
        ({**INPUT_OPTIONS[1], "periodic": False, "cutoff": 3}, "reduces larger ones silently"),
        ({**INPUT_OPTIONS[1], "cutoff": (2, 1)}, "one cutoff for all axes, at most 2"),
        ({**INPUT_OPTIONS[1], "cutoff": -1}, "cutoff=-1"),
        ({"correlations": [(0, 2)]}, "there are only 2"),
        ({"state_axis": 1}, "The pipeline sets state_axis and phases"),
    ],
)
@pytest.mark.parametrize("make", [pca_pipeline, vae_pipeline])
def test_inconsistent_options_are_refused_immediately(make, options, message):
    with pytest.raises(InputError, match=message):
        make(2, **options)


def test_vae_refuses_legendre_coefficients():
    with pytest.raises(InputError, match="requires fractions of local states"):
        vae_pipeline(2, basis="legendre")


def test_parameters_are_passed_to_the_last_step():
    assert vae_pipeline(3, beta=0.5)["reduce"].get_params()["beta"] == 0.5
    with pytest.raises(ValueError, match="Invalid parameter 'wdth'"):
        vae_pipeline(3, wdth=5)


def test_structures_of_another_shape_are_refused(labels):
    for options in ({"sample_shape": (8, 8)}, {"input": "statistics", "sample_shape": (4, 4)}):
        with pytest.raises(InputError, match=r"\(8, 8\)|\(4, 4\)"):
            pca_pipeline(2, **options).fit(labels)
