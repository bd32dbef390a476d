"""TwoPointPCA: scikit-learn's PCA of flattened statistics, exact, at once or block by block."""

from __future__ import annotations

import pickle

import dask.array as da
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from matvae import Grid, Structures, TwoPointPCA, two_point_stats
from matvae.errors import InputError, NotFittedError
from matvae.estimator import baseline


def test_equals_pca_of_flattened_statistics(X) -> None:
    f = two_point_stats(X)
    pca = PCA(3).fit(f.reshape(40, -1))
    model = TwoPointPCA(3).fit(X)
    np.testing.assert_allclose(model.transform(X), pca.transform(f.reshape(40, -1)), atol=1e-5)
    np.testing.assert_allclose(model.mean_, f.mean(0), atol=1e-6)
    assert model.components_.shape == (3, 8, 8, 1)
    np.testing.assert_allclose(model.explained_variance_ratio_, pca.explained_variance_ratio_, atol=1e-5)
    np.testing.assert_array_equal(model.statistics(X), f)


def test_all_components_give_the_statistics_back(make_blobs) -> None:
    X = make_blobs(12)
    model = TwoPointPCA(12).fit(X)
    np.testing.assert_allclose(model.inverse_statistics(model.transform(X)), two_point_stats(X), atol=1e-5)


@pytest.mark.parametrize("options", [{"periodic": False}, {"cutoff": 2}, {"correlations": [(0, 1), (1, 1)]}])
def test_statistics_follow_the_parameters(X, options: dict) -> None:
    model = TwoPointPCA(2, **options).fit(X)
    np.testing.assert_array_equal(model.statistics(X), two_point_stats(X, **options))


def test_dask_gives_the_same_lazily(X, lazy) -> None:
    model, other = TwoPointPCA(3).fit(X), TwoPointPCA(3).fit(lazy)
    np.testing.assert_allclose(other.mean_, model.mean_, atol=1e-7)
    Z = model.transform(lazy)
    assert isinstance(Z, da.Array)
    np.testing.assert_allclose(Z.compute(), model.transform(X), atol=1e-6)
    f = model.inverse_statistics(Z.rechunk((40, 1)))
    assert isinstance(f, da.Array)
    np.testing.assert_allclose(f.compute(), model.inverse_statistics(model.transform(X)), atol=1e-6)
    assert isinstance(model.statistics(lazy), da.Array)


@pytest.fixture
def windows(shared_data) -> np.ndarray:
    """Windows of three real materials, their statistics of a few hundred kilobytes."""
    rng = np.random.default_rng(0)
    cut = []
    for name in ("alloy", "ceramics", "copolymer"):
        image = np.load(shared_data / "micrographs" / f"{name}.npy")
        cut += [image[i : i + 24, j : j + 24] for i, j in rng.integers(0, 232, (40, 2))]
    return np.stack(cut)


@pytest.mark.parametrize("options", [{}, {"periodic": False, "cutoff": 10}])
def test_block_by_block_gives_the_same_components_and_never_holds_all_statistics(
    monkeypatch, windows: np.ndarray, options: dict
) -> None:
    rows = two_point_stats(windows, **options).reshape(len(windows), -1)
    oracle = PCA(9, svd_solver="full").fit(rows.astype(np.float64))
    together = TwoPointPCA(9, **options).fit(windows)
    monkeypatch.setattr(baseline, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(baseline, "BLOCK_BYTES", 8 * 7 * rows.shape[1])
    most = 0

    def watching(X, **kwargs):
        nonlocal most
        most = max(most, len(X))
        return two_point_stats(X, **kwargs)

    monkeypatch.setattr(baseline, "two_point_stats", watching)
    streamed = TwoPointPCA(9, **options).fit(da.from_array(windows, chunks=(50, -1, -1)))
    assert most == 7
    for model in (together, streamed):
        found = model.components_.reshape(9, -1)
        np.testing.assert_allclose(np.abs(np.sum(found * oracle.components_, axis=1)), 1.0, atol=1e-6)
        np.testing.assert_allclose(model.explained_variance_, oracle.explained_variance_, rtol=1e-6)
        np.testing.assert_allclose(model.explained_variance_ratio_, oracle.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(streamed.components_, together.components_, atol=1e-5)
    np.testing.assert_allclose(streamed.transform(windows), together.transform(windows), atol=1e-5)


def test_statistics_in_are_as_good_as_structures_in(X, lazy) -> None:
    options = {"periodic": False, "cutoff": 3}
    f = two_point_stats(X, **options)
    model = TwoPointPCA(3, **options).fit(X)
    stored = TwoPointPCA(3, input="statistics", sample_shape=(8, 8), **options)
    for statistics in (f, f.reshape(40, -1), da.from_array(f, chunks=(7, -1, -1, -1))):
        stored.fit(statistics)
        np.testing.assert_allclose(stored.transform(statistics), model.transform(X), atol=1e-6)
        np.testing.assert_allclose(stored.statistics(statistics), f, atol=1e-7)
        assert stored.grid_ == Grid((8, 8), periodic=False) == model.grid_
        assert stored.score(statistics) == pytest.approx(model.score(X), abs=1e-6)


def test_the_score_is_minus_the_relative_error_of_the_statistics(X, lazy) -> None:
    model = TwoPointPCA(2).fit(X)
    f = two_point_stats(X)
    g = model.inverse_statistics(model.transform(X))
    error = np.linalg.norm((f - g).reshape(40, -1), axis=1) / np.linalg.norm(f.reshape(40, -1), axis=1)
    assert model.score(X) == pytest.approx(-error.mean(), rel=1e-5)
    assert model.score(lazy) == pytest.approx(-error.mean(), rel=1e-5)
    assert TwoPointPCA(8).fit(X).score(X) > model.score(X)


def test_a_forgotten_state_axis_is_an_error(X, lazy) -> None:
    states = np.stack([phase == X for phase in range(3)], axis=-1).astype(float)
    for array in (states, da.from_array(states, chunks=(10, 4, 8, 3))):
        with pytest.raises(InputError, match=r"Pass state_axis=-1"):
            TwoPointPCA(2).fit(array)
    assert TwoPointPCA(2, phases=1).fit(states).mean_.shape == (8, 8, 3, 1)


def test_structures_bring_their_number_of_phases(make_blobs) -> None:
    X = make_blobs(10)
    model = TwoPointPCA(2).fit(Structures(X, Grid((8, 8), phases=3)))
    assert model.mean_.shape == (8, 8, 3)


def test_works_in_scikit_learns_machinery(X, lazy) -> None:
    y = X.mean((1, 2))
    for data in (X, lazy):
        pipeline = make_pipeline(TwoPointPCA(2), Ridge())
        search = GridSearchCV(pipeline, {"twopointpca__n_components": [1, 3]}, cv=2).fit(data, y)
        assert search.best_score_ > 0.5
    model = pickle.loads(pickle.dumps(TwoPointPCA(2).fit(X)))
    assert list(model.get_feature_names_out()) == ["twopointpca0", "twopointpca1"]
    assert not hasattr(clone(model), "mean_")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 0}, "n_components must be an integer of at least 1"),
        ({"n_components": 41}, "number of samples \\(40\\), but 41"),
        ({"n_components": 2.0}, "n_components must be an integer"),
        ({"input": "images"}, "input must be one of"),
        ({"periodic": "yes"}, "periodic must be True or False"),
        ({"phases": 0}, "phases must be"),
        ({"cutoff": 9}, "cutoff"),
        ({"correlations": [(0, 4)]}, "4"),
    ],
)
def test_wrong_parameters_change_nothing(X, parameters: dict, message: str) -> None:
    model = TwoPointPCA(2).fit(X).set_params(**parameters)
    before = dict(vars(model))
    with pytest.raises(InputError, match=message):
        model.fit(X[:, :4] if "n_components" not in parameters else X)
    assert dict(vars(model)) == before


def test_wrong_input_is_refused(X) -> None:
    with pytest.raises(NotFittedError):
        TwoPointPCA().transform(X)
    model = TwoPointPCA(2).fit(X)
    with pytest.raises(InputError, match="shape \\(sample, 2\\)"):
        model.inverse_statistics(np.zeros((3, 4)))
    with pytest.raises(InputError, match="NaN"):
        model.inverse_statistics(np.full((3, 2), np.nan))
    with pytest.raises(InputError, match="integer phase labels"):
        model.transform(X.astype(float))


def test_a_lazy_result_does_not_change_when_the_model_is_fitted_again(X, lazy, make_blobs) -> None:
    model = TwoPointPCA(2).fit(X)
    Z, expected = model.transform(lazy), model.transform(X)
    model.fit(make_blobs(20, seed=9))
    np.testing.assert_allclose(Z.compute(), expected, atol=1e-6)
