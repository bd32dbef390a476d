"""Replacements of PyMKS's transformers: PyMKS's results, scikit-learn's conventions, and inverse transforms."""

from __future__ import annotations

import pickle

import dask.array as da
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

from matvae import StatsVAETransformer
from matvae.errors import InputError, NotFittedError
from matvae_pymks import FlattenTransformer, PrimitiveTransformer, ReshapeTransformer, TwoPointCorrelation
from matvae_pymks.upstream import import_pymks

pymks = import_pymks()

VALUES = np.random.default_rng(0).random((7, 4, 6))
STEPS = [FlattenTransformer(), ReshapeTransformer((None, 2, 12)), PrimitiveTransformer(n_state=3)]


@pytest.fixture(name="X", params=["numpy", "dask"])
def numpy_or_dask(request):
    return VALUES if request.param == "numpy" else da.from_array(VALUES, chunks=(3, 4, 6))


def array_package(array) -> str:
    return type(array).__module__.split(".")[0]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
class TestConventions:
    def test_clones_and_pickles_preserve_the_parameters(self, step):
        for copy in (clone(step), pickle.loads(pickle.dumps(step))):
            assert copy.get_params() == step.get_params()

    def test_fit_returns_self_and_accepts_y(self, step):
        copy = clone(step)
        assert copy.fit(VALUES, np.arange(7)) is copy

    def test_step_works_without_fit_and_as_the_last_step(self, step):
        check_is_fitted(step)
        by_pipeline = make_pipeline(clone(step)).fit(VALUES).transform(VALUES)
        np.testing.assert_array_equal(by_pipeline, clone(step).transform(VALUES))

    def test_inverse_restores_the_values(self, step, X):
        copy = clone(step).fit(X)
        restored = copy.inverse_transform(copy.transform(X))
        assert type(restored) is (da.Array if type(step) is PrimitiveTransformer else type(X))
        np.testing.assert_allclose(np.asarray(restored).reshape(VALUES.shape), VALUES, atol=1e-15)

    def test_empty_input_is_accepted(self, step):
        assert clone(step).fit(VALUES).transform(VALUES[:0]).shape[0] == 0

    def test_scalar_is_refused(self, step):
        with pytest.raises(InputError, match="sample axis"):
            step.transform(3.0)


def test_flatten_passes_the_checks_of_scikit_learn():
    check_estimator(FlattenTransformer())


def test_flatten_preserves_array_type_and_order(X):
    flat = FlattenTransformer().transform(X)
    assert array_package(flat) == array_package(X)
    np.testing.assert_array_equal(flat, VALUES.reshape(7, 24))


def test_flatten_refuses_another_shape_and_an_inverse_before_fit():
    flatten = FlattenTransformer().fit(VALUES)
    with pytest.raises(InputError, match=r"shape \(4, 6\) are expected.*shape \(6, 4\)"):
        flatten.transform(VALUES.swapaxes(1, 2))
    with pytest.raises(InputError, match="numbers of values differ"):
        flatten.inverse_transform(np.zeros((2, 23)))
    with pytest.raises(NotFittedError, match="Call fit with the data"):
        FlattenTransformer().inverse_transform(VALUES.reshape(7, 24))


def test_flatten_returns_tables(X):
    table = FlattenTransformer().set_output(transform="pandas").fit(X).transform(X)
    assert list(table.columns[:2]) == ["flattentransformer0", "flattentransformer1"]
    np.testing.assert_array_equal(table.to_numpy(), VALUES.reshape(7, 24))


def test_reshape_equals_that_of_pymks(X):
    X = X.reshape(7, 24)
    for shape in [(None, 24), (None, 2, 3, 4), (7, -1, 2)]:
        ours, theirs = ReshapeTransformer(shape).transform(X), pymks.ReshapeTransformer(shape).transform(X)
        assert array_package(ours) == array_package(theirs)
        np.testing.assert_array_equal(ours, theirs)


def test_reshape_names_mismatched_shapes(X):
    with pytest.raises(InputError, match=r"shape \(4, 6\) cannot be reshaped to \(5, 5\)"):
        ReshapeTransformer((None, 5, 5)).transform(X)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"n_state": 5},
        {"n_state": 4, "min_": 0.2, "max_": 0.7},
        {"n_state": 3, "chunks": 1},
        {"n_state": 3, "max_": 2},
    ],
)
def test_primitive_equals_that_of_pymks_including_chunks(X, parameters):
    ours, theirs = PrimitiveTransformer(**parameters), pymks.PrimitiveTransformer(**parameters)
    for values in (X, (3 * X).astype(np.uint8), X.astype(np.float32)):
        states, expected = ours.transform(values), theirs.transform(values)
        assert isinstance(states, da.Array)
        assert (states.chunks, states.dtype) == (expected.chunks, expected.dtype)
        np.testing.assert_allclose(states, expected, rtol=0, atol=1e-15)


def test_primitive_fractions_belong_to_neighbouring_nodes_and_sum_to_one():
    fractions = PrimitiveTransformer(n_state=3).transform(np.array([[0.0, 0.5, 0.6, 1.0, 7.0]])).compute()
    np.testing.assert_allclose(fractions[0], [[1, 0, 0], [0, 1, 0], [0, 0.8, 0.2], [0, 0, 1], [0, 0, 1]], atol=1e-15)


def test_primitive_inverse_is_the_mean_value_of_the_states():
    fractions = np.array([[[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]]])
    values = PrimitiveTransformer(n_state=3, min_=-1, max_=1).inverse_transform(fractions)
    assert isinstance(values, np.ndarray)
    np.testing.assert_allclose(values, [[-0.25, 1.0]])


@pytest.mark.parametrize("parameters", [{"n_state": 1}, {"min_": 1.0}, {"min_": 2.0, "max_": 0.5}, {"max_": np.nan}])
def test_primitive_refuses_an_empty_range_of_states(parameters):
    for call in ("fit", "transform"):
        with pytest.raises(InputError, match="n_state of at least 2 and max_ larger than min_"):
            getattr(PrimitiveTransformer(**parameters), call)(VALUES)


def test_primitive_inverse_refuses_another_number_of_states():
    with pytest.raises(InputError, match=r"n_state = 2 states .* shape \(7, 4, 6\)"):
        PrimitiveTransformer().inverse_transform(VALUES)


def test_pipeline_transforms_flat_values_to_latents_and_back(X):
    labels = (X > 0.6).astype(int).reshape(7, 24)
    pipeline = make_pipeline(
        ReshapeTransformer((None, 4, 6)),
        PrimitiveTransformer(),
        StatsVAETransformer(n_components=2, state_axis=-1, decoder="dense", max_epochs=1, width=16, random_state=0),
    ).fit(labels)
    decoded = np.asarray(pipeline.inverse_transform(pipeline.transform(labels)))
    assert decoded.shape == (7, 24)
    np.testing.assert_allclose(decoded.mean(axis=1), np.asarray(labels).mean(axis=1), atol=0.5)
    assert set(np.unique(decoded)) <= {0.0, 1.0}


def test_pipeline_returns_tables(X):
    pipeline = make_pipeline(PrimitiveTransformer(), TwoPointCorrelation(cutoff=1), FlattenTransformer())
    table = pipeline.set_output(transform="pandas").fit_transform(X)
    assert table.shape == (7, 18)
