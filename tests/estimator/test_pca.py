"""TwoPointPCA equals scikit-learn's exact PCA of flattened statistics, at once or block by block."""

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
from matvae.estimator import pca as pca_module
from matvae.estimator import realizations, statistics_rows
from matvae.estimator.pca import fit_variants
from matvae.stats import relative_error
from matvae.stats.metric import lag_balls

from ..structures import blobs


def test_equals_pca_of_flattened_statistics(X) -> None:
    f = two_point_stats(X)
    pca = PCA(3).fit(f.reshape(40, -1))
    model = TwoPointPCA(3).fit(X)
    np.testing.assert_allclose(model.transform(X), pca.transform(f.reshape(40, -1)), atol=1e-5)
    np.testing.assert_allclose(model.mean_, f.mean(0), atol=1e-6)
    assert model.components_.shape == (3, 8, 8, 1)
    np.testing.assert_allclose(model.explained_variance_ratio_, pca.explained_variance_ratio_, atol=1e-5)
    np.testing.assert_array_equal(model.statistics(X), f)


def test_all_components_recover_the_statistics(make_blobs) -> None:
    X = make_blobs(12)
    model = TwoPointPCA(12).fit(X)
    np.testing.assert_allclose(model.inverse_statistics(model.transform(X)), two_point_stats(X), atol=1e-5)


@pytest.mark.parametrize("options", [{"periodic": False}, {"cutoff": 2}, {"correlations": [(0, 1), (1, 1)]}])
def test_statistics_follow_the_parameters(X, options: dict) -> None:
    model = TwoPointPCA(2, **options).fit(X)
    np.testing.assert_array_equal(model.statistics(X), two_point_stats(X, **options))


@pytest.mark.parametrize(("given", "kept"), [("f4", "f4"), ("f8", "f8"), ("g", "f8"), ("u1", "f4")])
def test_statistics_mean_and_scores_have_the_precision_of_the_data(X, given, kept) -> None:
    data = X.astype(given) if given == "u1" else X.astype(given) / 3
    model = TwoPointPCA(2).fit(data)
    assert {a.dtype for a in (model.mean_, model.components_, model.statistics(data), model.transform(data))} == {
        np.dtype(kept)
    }


def test_dask_gives_the_same_results_lazily(X, lazy) -> None:
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
    """Windows of three real materials, whose statistics occupy a few hundred kilobytes."""
    rng = np.random.default_rng(0)
    cut = []
    for name in ("alloy", "ceramics", "copolymer"):
        image = np.load(shared_data / "micrographs" / f"{name}.npy")
        cut += [image[i : i + 24, j : j + 24] for i, j in rng.integers(0, 232, (40, 2))]
    return np.stack(cut)


@pytest.mark.parametrize("options", [{}, {"periodic": False, "cutoff": 10}])
def test_a_fit_block_by_block_gives_the_same_components_and_never_holds_all_statistics(
    monkeypatch, windows: np.ndarray, options: dict
) -> None:
    rows = two_point_stats(windows, **options).reshape(len(windows), -1)
    oracle = PCA(9, svd_solver="full").fit(rows.astype(np.float64))
    together = TwoPointPCA(9, **options).fit(windows)
    monkeypatch.setattr(statistics_rows, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(statistics_rows, "BLOCK_BYTES", 8 * 7 * rows.shape[1])
    largest_block = 0

    def recorded(X, **kwargs):
        nonlocal largest_block
        largest_block = max(largest_block, len(X))
        return two_point_stats(X, **kwargs)

    monkeypatch.setattr(statistics_rows, "two_point_stats", recorded)
    streamed = TwoPointPCA(9, **options).fit(da.from_array(windows, chunks=(50, -1, -1)))
    assert largest_block == 7
    for model in (together, streamed):
        components = model.components_.reshape(9, -1)
        np.testing.assert_allclose(np.abs(np.sum(components * oracle.components_, axis=1)), 1.0, atol=1e-6)
        np.testing.assert_allclose(model.explained_variance_, oracle.explained_variance_, rtol=1e-6)
        np.testing.assert_allclose(model.explained_variance_ratio_, oracle.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(streamed.components_, together.components_, atol=1e-5)
    np.testing.assert_allclose(streamed.transform(windows), together.transform(windows), atol=1e-5)


def test_a_fit_on_statistics_equals_a_fit_on_structures(X, lazy) -> None:
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


def test_the_number_of_phases_is_read_from_the_grid(make_blobs) -> None:
    X = make_blobs(10)
    model = TwoPointPCA(2).fit(Structures(X, Grid((8, 8), phases=3)))
    assert model.mean_.shape == (8, 8, 3)


def test_pipelines_grid_searches_pickle_and_clone_work(X, lazy) -> None:
    y = X.mean((1, 2))
    for data in (X, lazy):
        pipeline = make_pipeline(TwoPointPCA(2), Ridge())
        search = GridSearchCV(pipeline, {"twopointpca__n_components": [1, 3]}, cv=2).fit(data, y)
        assert search.best_score_ > 0.5
    model = pickle.loads(pickle.dumps(TwoPointPCA(2).fit(X)))
    assert list(model.get_feature_names_out()) == ["pc_0", "pc_1"]
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
def test_invalid_parameters_leave_the_model_unchanged(X, parameters: dict, message: str) -> None:
    model = TwoPointPCA(2).fit(X).set_params(**parameters)
    before = dict(vars(model))
    with pytest.raises(InputError, match=message):
        model.fit(X[:, :4] if "n_components" not in parameters else X)
    assert dict(vars(model)) == before


def test_invalid_input_is_refused(X) -> None:
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


def errors(X: np.ndarray, structures: np.ndarray, **options) -> np.ndarray:
    f, g = (two_point_stats(labels, phases=2, **options) for labels in (X, structures))
    return np.asarray(relative_error(f, g))


def test_all_scores_give_structures_with_the_same_statistics(windows: np.ndarray) -> None:
    X = windows[::10]
    model = TwoPointPCA(12).fit(X)
    structures = model.inverse_transform(model.transform(X), random_state=0, max_iter=200)
    assert (structures.shape, structures.dtype) == (X.shape, X.dtype)
    np.testing.assert_array_equal(structures.sum((1, 2)), X.sum((1, 2)))
    error = errors(X, structures)
    assert error.mean() < 0.02
    # The statistics of at least one structure are exact, although its voxels are elsewhere.
    assert error.min() < 1e-5
    assert np.mean(structures != X) > 0.2


def test_structures_of_few_scores_have_hardly_larger_errors_than_the_scores(windows: np.ndarray) -> None:
    model = TwoPointPCA(9).fit(windows)
    Z = model.transform(windows[::10])
    f, g = two_point_stats(windows[::10]), model.inverse_statistics(Z)
    structures = model.inverse_transform(Z, random_state=0)
    error_of_scores = np.asarray(relative_error(f, g)).mean()
    assert errors(windows[::10], structures).mean() == pytest.approx(error_of_scores, rel=0.1)
    assert structures.dtype == windows.dtype


@pytest.mark.parametrize("options", [{"periodic": False, "cutoff": 3}, {"correlations": [(0, 0)]}, {"cutoff": 2}])
def test_structures_follow_the_parameters(X, options: dict) -> None:
    model = TwoPointPCA(12, **options).fit(X)
    Z = model.transform(X)
    structures = model.inverse_transform(Z, random_state=0)
    decoded = model.inverse_statistics(Z)
    error = np.asarray(relative_error(decoded, model.statistics(structures))).mean()
    shuffled = np.random.default_rng(0).permuted(structures.reshape(40, -1), axis=1).reshape(structures.shape)
    assert error < 0.4 * np.asarray(relative_error(decoded, model.statistics(shuffled))).mean()


def test_structures_have_the_form_of_the_training_data(X, lazy, make_blobs) -> None:
    states = np.stack([X == 0, X == 1], axis=-1).astype(np.float32)
    f = two_point_stats(X)
    forms = {
        "flat": (X.reshape(40, 64), {"sample_shape": (8, 8)}, (40, 64), np.uint8),
        "states": (states, {"state_axis": -1}, (40, 8, 8, 2), np.float32),
        "flat states": (states.reshape(40, -1), {"state_axis": -1, "sample_shape": (8, 8)}, (40, 128), np.float32),
        "int64": (X.astype(np.int64), {}, (40, 8, 8), np.int64),
        "statistics": (f, {"input": "statistics"}, (40, 8, 8), np.uint8),
        "flat statistics": (f.reshape(40, -1), {"input": "statistics", "sample_shape": (8, 8)}, (40, 8, 8), np.uint8),
    }
    base = TwoPointPCA(3).fit(X)
    expected = base.inverse_transform(base.transform(X), random_state=0, n_realizations=2)
    for name, (data, parameters, shape, dtype) in forms.items():
        model = TwoPointPCA(3, **parameters).fit(data)
        Z = model.transform(data)
        structures = model.inverse_transform(Z, random_state=0)
        assert (structures.shape, structures.dtype) == (shape, dtype), name
        many = model.inverse_transform(Z, random_state=0, n_realizations=2)
        assert many.shape == (40, 2, *shape[1:]), name
        if "states" in name:
            labels = many.reshape(40, 2, 8, 8, 2)
            np.testing.assert_array_equal(labels.sum(-1), 1)
            many = labels[..., 1]
        np.testing.assert_allclose(
            errors(np.repeat(X, 2, 0), many.reshape(80, 8, 8).astype(np.uint8)).mean(),
            errors(np.repeat(X, 2, 0), expected.reshape(80, 8, 8)).mean(),
            atol=0.03,
            err_msg=name,
        )
    three = make_blobs(20, phases=3)
    model = TwoPointPCA(5).fit(three)
    structures = model.inverse_transform(model.transform(three), random_state=0)
    fractions = [[(labels == phase).mean((1, 2)) for phase in range(3)] for labels in (three, structures)]
    np.testing.assert_allclose(*fractions, atol=0.06)


def test_realizations_differ_and_do_not_depend_on_chunks(X, monkeypatch) -> None:
    model = TwoPointPCA(3).fit(X)
    Z = model.transform(X)
    structures = model.inverse_transform(Z, n_realizations=3, random_state=1, max_iter=2)
    assert structures.shape == (40, 3, 8, 8)
    assert (structures[:, 0] != structures[:, 1]).any((1, 2)).mean() > 0.9
    # Realizations of one target have exactly the same volume fractions.
    assert (structures.sum((2, 3)) == structures[:, :1].sum((2, 3))).all()
    split = da.from_array(Z, chunks=((0, 7, 30, 3), (1, 2)))
    lazily = model.inverse_transform(split, n_realizations=3, random_state=1, max_iter=2)
    assert isinstance(lazily, da.Array)
    assert (lazily.shape, lazily.dtype) == (structures.shape, structures.dtype)
    # Results of blocks differ by rounding, which grows little in two iterations.
    assert np.mean(lazily.compute() != structures) < 0.02
    monkeypatch.setattr(realizations, "PART_BYTES", 5 * 256 * 3)
    same = model.inverse_transform(Z, n_realizations=3, random_state=1, max_iter=2)
    assert np.mean(same != structures) < 0.02
    other = model.inverse_transform(Z, n_realizations=3, random_state=2, max_iter=2)
    assert np.mean(other != structures) > 0.2


def test_invalid_arguments_of_inverse_transform_are_refused(X) -> None:
    model = TwoPointPCA(2).fit(X)
    Z = da.from_array(model.transform(X))
    for wrong, message in [
        ({"n_realizations": 0}, "n_realizations must be an integer of at least 1"),
        ({"max_iter": 0}, "max_iter must be"),
        ({"tol": -1.0}, "tol must be"),
        ({"device": "abacus"}, "device must be"),
        ({"random_state": "x"}, "random_state must be"),
    ]:
        with pytest.raises(InputError, match=message):
            model.inverse_transform(Z, **wrong)
    with pytest.raises(InputError, match="shape \\(sample, 2\\)"):
        model.inverse_transform(np.zeros((3, 4)))
    with pytest.raises(NotFittedError):
        TwoPointPCA().inverse_transform(Z)
    field = TwoPointPCA(2).fit(X * 0.5)
    assert not hasattr(field, "inverse_transform")
    with pytest.raises(InputError, match=r"fitted on continuous fields.*Fit it on labels"):
        field.inverse_transform(Z)
    crossed = TwoPointPCA(2, correlations=[(0, 1)]).fit(X)
    with pytest.raises(InputError, match="volume fractions of the phases"):
        crossed.inverse_transform(crossed.transform(X))


def test_lag_metric_is_pca_of_weighted_statistics(make_blobs) -> None:
    structures = blobs(40, (16, 16))
    plain = TwoPointPCA(3).fit(structures)
    model = TwoPointPCA(3, metric="lags").fit(structures)
    f = two_point_stats(structures).reshape(40, -1).astype(float)
    roots = np.sqrt(model.lag_weights_.astype(float)).ravel()
    reference = PCA(3, svd_solver="full").fit(f * roots)
    scores = reference.transform(f * roots)
    signs = np.sign((scores * model.transform(structures)).sum(0))
    np.testing.assert_allclose(model.transform(structures), scores * signs, rtol=1e-3, atol=1e-5)
    decoded = model.inverse_statistics(model.transform(structures)).reshape(40, -1)
    np.testing.assert_allclose(decoded, reference.inverse_transform(scores) / roots, rtol=1e-3, atol=1e-5)
    assert not np.allclose(plain.components_, model.components_, atol=1e-2)


def test_lag_metric_preserves_short_lags_better() -> None:
    structures = blobs(200, (32, 32))
    f = two_point_stats(structures)
    short = lag_balls(f.shape[1:-1])[1]

    def short_error(metric):
        model = TwoPointPCA(3, metric=metric).fit(structures)
        decoded = model.inverse_statistics(model.transform(structures))
        return float(np.square(decoded - f)[:, short].sum())

    assert short_error("lags") < 0.9 * short_error("plain")


def test_unknown_metric_is_refused() -> None:
    with pytest.raises(InputError, match="metric must be one of"):
        TwoPointPCA(3, metric="auto").fit(blobs(10, (8, 8)))


@pytest.mark.parametrize("metric", ["plain", "lags"])
def test_scores_of_statistics_are_those_of_their_structures(metric) -> None:
    structures = blobs(30, (12, 12))
    model = TwoPointPCA(3, metric=metric).fit(structures)
    np.testing.assert_array_equal(model.scores_of(model.statistics(structures)), model.transform(structures))
    with pytest.raises(NotFittedError):
        TwoPointPCA(3).scores_of(model.statistics(structures))


@pytest.mark.parametrize("n_components", [3, 25])
def test_variants_equal_fits_of_their_own_on_statistics_computed_once(n_components, monkeypatch) -> None:
    structures, counted = blobs(40, (12, 12)), []
    compute = pca_module.statistics_function

    def counting(layout, estimator):
        function = compute(layout, estimator)
        return lambda block, *masks: counted.append(len(block)) or function(block, *masks)

    monkeypatch.setattr(pca_module, "statistics_function", counting)
    pca = TwoPointPCA(3, cutoff=4, periodic=False)
    variants = [{"n_components": n_components}, {"metric": "lags"}]
    fitted = fit_variants(pca, structures, variants)
    # A single sample tells the shape.
    assert sum(counted) == 40 + 1
    assert not pca.__sklearn_is_fitted__()
    for variant, own in zip(fitted, variants, strict=True):
        alone = clone(pca).set_params(**own).fit(structures)
        assert variant.get_params() == alone.get_params()
        assert variant.n_features_in_ == alone.n_features_in_
        for name in ("mean_", "components_", "lag_weights_", "explained_variance_", "explained_variance_ratio_"):
            np.testing.assert_array_equal(getattr(variant, name), getattr(alone, name))
        np.testing.assert_array_equal(variant.transform(structures), alone.transform(structures))
    with pytest.raises(InputError, match="number of samples"):
        fit_variants(pca, structures, [{"n_components": 41}])
