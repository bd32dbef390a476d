"""TwoPointPCA: scikit-learn's PCA of flattened statistics, exact or block by block."""

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


def low_rank(n: int) -> np.ndarray:
    """Cosines of three wavelengths in random shares, whose statistics have three components."""
    rng = np.random.default_rng(0)
    x = np.arange(32)
    waves = np.stack([np.cos(2 * np.pi * k * x / 32) for k in (1, 2, 3)])
    return (rng.uniform(0.2, 1.0, (n, 3)) @ waves)[:, None, :].repeat(2, axis=1)


@pytest.mark.parametrize("n", [64, 65, 71, 90, 127])
def test_block_by_block_is_exact_on_low_rank_data_and_uses_every_sample(monkeypatch, n: int) -> None:
    X = low_rank(n)
    exact = TwoPointPCA(3).fit(X)
    monkeypatch.setattr(baseline, "IN_MEMORY_BYTES", 4096)
    monkeypatch.setattr(baseline, "BLOCK_BYTES", 4096)
    seen: list[int] = []
    fit = baseline.IncrementalPCA.partial_fit

    def counting(self, rows, *args, **kwargs):
        seen.append(len(rows))
        return fit(self, rows, *args, **kwargs)

    monkeypatch.setattr(baseline.IncrementalPCA, "partial_fit", counting)
    blocks = TwoPointPCA(3).fit(da.from_array(X, chunks=(10, 2, 32)))
    assert sum(seen) == n
    assert len(seen) > 1
    np.testing.assert_allclose(blocks.mean_, exact.mean_, atol=1e-10)
    np.testing.assert_allclose(np.abs(blocks.transform(X)), np.abs(exact.transform(X)), atol=1e-8)
    np.testing.assert_allclose(blocks.explained_variance_ratio_, exact.explained_variance_ratio_, atol=1e-8)


def test_too_few_samples_for_blocks_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(baseline, "IN_MEMORY_BYTES", 0)
    with pytest.raises(InputError, match=r"at least 12 are needed\. Set a cutoff"):
        TwoPointPCA(3).fit(low_rank(11))


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
