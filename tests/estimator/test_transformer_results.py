"""Results of a fitted transformer: invariances, errors, lazy evaluation and realizations."""

from __future__ import annotations

import copy

import dask.array as da
import numpy as np
import pytest

from matvae import two_point_stats
from matvae.errors import InputError, NotFittedError
from matvae.stats import relative_error


def test_latents_are_invariant_to_shifts(X, fitted) -> None:
    moved = np.roll(X, (3, 5), (1, 2))
    np.testing.assert_allclose(fitted.transform(moved), fitted.transform(X), atol=1e-5)


def test_score_is_minus_the_mean_relative_error_of_reconstructions(X, lazy, fitted) -> None:
    reconstructions = fitted.inverse_transform(fitted.transform(X))
    expected = -relative_error(two_point_stats(X), two_point_stats(reconstructions, phases=2)).mean()
    assert fitted.score(X) == pytest.approx(expected, rel=1e-5)
    assert fitted.score(lazy) == pytest.approx(expected, rel=1e-5)


def test_statistics_are_those_of_two_point_stats(X, fitted) -> None:
    np.testing.assert_allclose(fitted.statistics(X), two_point_stats(X), atol=1e-6)


def test_inverse_statistics_are_those_of_the_fractions(X, fitted) -> None:
    Z = fitted.transform(X).astype(np.float64)
    fractions = fitted.inverse_transform(Z, as_fractions=True).astype(np.float64)
    np.testing.assert_allclose(fractions.sum(1), 1, atol=1e-6)
    assert fractions.shape == (40, 2, 8, 8)
    f = fitted.inverse_statistics(Z)
    assert f.dtype == np.float64
    np.testing.assert_allclose(f, two_point_stats(fractions, state_axis=1, correlations=[(1, 1)]), atol=1e-6)


def test_volume_fractions_are_kept_unless_a_threshold_is_set(X, tiny, fitted) -> None:
    Z = fitted.transform(X)
    fractions = fitted.inverse_transform(Z, as_fractions=True)[:, 1]
    structures = fitted.inverse_transform(Z)
    np.testing.assert_allclose(structures.sum((1, 2)), fractions.sum((1, 2)), atol=0.51)
    straight = copy.copy(fitted).set_params(threshold="straight").inverse_transform(Z)
    # Segments of an eighth of the side are single voxels here, so that they change nothing.
    np.testing.assert_array_equal(straight, structures)
    low = tiny(threshold=0.05).fit(X)
    np.testing.assert_array_equal(low.inverse_transform(low.transform(X)), fractions > 0.05)


def test_dask_gives_the_same_results_lazily(X, lazy, fitted) -> None:
    Z = fitted.transform(lazy)
    results = {
        "transform": (Z, fitted.transform(X)),
        "inverse_transform": (fitted.inverse_transform(Z), fitted.inverse_transform(fitted.transform(X))),
        "fractions": (
            fitted.inverse_transform(Z, as_fractions=True),
            fitted.inverse_transform(fitted.transform(X), as_fractions=True),
        ),
        "statistics": (fitted.statistics(lazy), fitted.statistics(X)),
        "inverse_statistics": (fitted.inverse_statistics(Z), fitted.inverse_statistics(fitted.transform(X))),
        "realizations": (
            fitted.inverse_transform(Z, n_realizations=3, random_state=1),
            fitted.inverse_transform(fitted.transform(X), n_realizations=3, random_state=1),
        ),
    }
    for name, (result, expected) in results.items():
        assert isinstance(result, da.Array), name
        assert (result.shape, result.dtype) == (expected.shape, expected.dtype), name
        if name in ("inverse_transform", "realizations"):
            assert np.mean(result.compute() != expected) < 0.01, name
        else:
            np.testing.assert_allclose(result.compute(), expected, atol=1e-5, err_msg=name)


def test_chunks_that_split_structures_are_merged_and_empty_chunks_are_accepted(X, fitted) -> None:
    split = da.from_array(np.array(X), chunks=(8, 4, 3))
    Z = fitted.transform(split)
    np.testing.assert_allclose(Z.compute(), fitted.transform(X), atol=1e-5)
    by_component = Z.rechunk((40, 1))
    assert np.mean(fitted.inverse_transform(by_component).compute() != fitted.inverse_transform(Z).compute()) < 0.01
    some = da.from_array(np.array(X), chunks=(8, 8, 8))[np.arange(40) >= 30]
    padded = da.concatenate([da.zeros((0, 8, 8), dtype=np.uint8), some])
    np.testing.assert_allclose(fitted.transform(padded).compute(), fitted.transform(X[30:]), atol=1e-5)


def test_nothing_is_computed_before_compute_is_called(X, fitted) -> None:
    def explode(block: np.ndarray) -> np.ndarray:
        raise AssertionError("A block was computed.")

    lazy = da.from_array(np.array(X)).map_blocks(explode, meta=X[:0])
    Z = fitted.transform(lazy)
    fitted.inverse_transform(Z, n_realizations=2)
    fitted.inverse_statistics(Z)
    fitted.statistics(lazy)


def test_a_lazy_result_does_not_change_when_the_model_is_trained_again(X, lazy, tiny) -> None:
    model = tiny().fit(X)
    expected, Z = model.transform(X), model.transform(lazy)
    model.partial_fit(X)
    np.testing.assert_allclose(Z.compute(), expected, atol=1e-5)
    model.set_params(random_state=7).fit(X)
    np.testing.assert_allclose(Z.compute(), expected, atol=1e-5)


def test_the_precision_of_the_input_is_kept(tiny) -> None:
    X = np.random.default_rng(0).normal(size=(20, 6, 6))
    model = tiny().fit(X)
    assert model.transform(X).dtype == np.float64
    assert model.transform(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(model.transform(X), model.transform(X.astype(np.float32)), atol=1e-3)
    assert {str(p.dtype) for p in model.module_.parameters()} == {"torch.float32"}


def test_results_do_not_depend_on_blocks(monkeypatch, X, fitted) -> None:
    Z, f = fitted.transform(X), fitted.statistics(X)
    monkeypatch.setattr("matvae.estimator.fitted.BLOCK_VOXELS", 200)
    np.testing.assert_allclose(fitted.transform(X), Z, atol=1e-5)
    np.testing.assert_allclose(fitted.statistics(X), f, atol=1e-6)


def test_realizations_differ_in_voxels_but_hardly_in_statistics(X, tiny) -> None:
    model = tiny(max_epochs=30, width=64, learning_rate=3e-3).fit(X)
    Z = model.transform(X[:6])
    structures = model.inverse_transform(Z, n_realizations=5, random_state=0)
    assert (structures.shape, structures.dtype) == ((6, 5, 8, 8), np.uint8)
    for realizations in structures:
        assert len({realization.tobytes() for realization in realizations}) == 5
    np.testing.assert_array_equal(structures, model.inverse_transform(Z, n_realizations=5, random_state=0))
    assert (structures != model.inverse_transform(Z, n_realizations=5, random_state=1)).any()
    f = two_point_stats(structures.reshape(30, 8, 8), phases=2).reshape(6, 5, -1)
    within = np.linalg.norm(f - f[:, :1], axis=2)[:, 1:].mean()
    between = np.linalg.norm(f[:, :1] - f[:, 0][None], axis=2)[~np.eye(6, dtype=bool)].mean()
    assert within < between
    soft = model.inverse_transform(Z, n_realizations=5, random_state=0, as_fractions=True)
    assert soft.shape == (6, 5, 2, 8, 8)
    np.testing.assert_allclose(soft.sum(2), 1, atol=1e-5)


def test_realizations_are_shifted_on_periodic_grids_only(X, tiny) -> None:
    for periodic in (True, False):
        model = tiny(periodic=periodic).fit(X)
        model.latent_spread_ = np.zeros_like(model.latent_spread_)
        Z = model.transform(X[:3])
        structures = model.inverse_transform(Z, n_realizations=4, random_state=0)
        unshifted = model.inverse_transform(Z)
        assert (structures == unshifted[:, None]).all() == (not periodic)
        f = two_point_stats(structures.reshape(-1, 8, 8), phases=2).reshape(3, 4, 8, 8)
        np.testing.assert_allclose(f, np.broadcast_to(f[:, :1], f.shape), atol=0 if not periodic else 1e-6)


def test_a_shape_other_than_that_of_the_decoder_is_refused(X, fitted) -> None:
    Z = fitted.transform(X)
    np.testing.assert_array_equal(fitted.inverse_transform(Z, shape=(8, 8)), fitted.inverse_transform(Z))
    with pytest.raises(InputError, match=r"decodes structures of shape \(8, 8\).*realize=.retrieval."):
        fitted.inverse_transform(Z, shape=(16, 16))


@pytest.mark.parametrize(
    ("Z", "message"),
    [
        (np.zeros((3, 4)), "shape \\(sample, 2\\) are expected"),
        (np.zeros(2), "shape \\(sample, 2\\) are expected"),
        (np.zeros((3, 2), dtype=complex), "real numbers"),
        (np.array([["a", "b"]]), "real numbers"),
        (np.full((1, 2), np.inf), "NaN or infinity"),
        (np.zeros((0, 2)), "At least one latent"),
    ],
)
def test_invalid_latents_are_refused(fitted, Z, message: str) -> None:
    for method in (fitted.inverse_transform, fitted.inverse_statistics):
        with pytest.raises(InputError, match=message):
            method(Z)


def test_lazy_latents_are_checked_when_they_are_computed(fitted) -> None:
    with pytest.raises(InputError, match="NaN or infinity"):
        fitted.inverse_transform(da.from_array(np.full((4, 2), np.nan))).compute()
    unknown = da.from_array(np.zeros((4, 2)))
    with pytest.raises(InputError, match="unknown chunk sizes"):
        fitted.inverse_transform(unknown[unknown[:, 0] > -1])


@pytest.mark.parametrize("n", [0, -1, 1.5, "3"])
def test_an_invalid_number_of_realizations_is_refused(fitted, n) -> None:
    with pytest.raises(InputError, match="n_realizations must be"):
        fitted.inverse_transform(np.zeros((1, 2)), n_realizations=n)


@pytest.mark.parametrize("method", ["transform", "inverse_transform", "statistics", "inverse_statistics", "score"])
def test_methods_require_fit(tiny, method: str) -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(tiny(), method)(np.zeros((3, 2)))


def test_structures_unlike_those_of_fit_are_refused(make_blobs, tiny) -> None:
    X = make_blobs(20, (4, 6))
    model = tiny().fit(X)
    with pytest.raises(InputError, match="same axes in the same order"):
        model.transform(X.swapaxes(1, 2))
    with pytest.raises(InputError, match="Samples of shape \\(4, 6\\) are expected"):
        model.transform(X[:, :3])
    with pytest.raises(InputError, match="Samples of shape \\(4, 6\\) are expected"):
        model.transform(da.from_array(X[:, :3]))
    with pytest.raises(InputError, match="integer phase labels"):
        model.transform(X.astype(float))
    with pytest.raises(InputError, match="labels from 0 to 2"):
        model.transform(X * 2)
    with pytest.raises(InputError, match="labels from 0 to 2"):
        model.transform(da.from_array(X * 2)).compute()


def test_refined_structures_are_closer_to_the_decoded_statistics(X, lazy, fitted) -> None:
    Z = fitted.transform(X)
    decoded = fitted.inverse_statistics(Z)

    def error(structures: np.ndarray) -> float:
        return float(np.asarray(relative_error(decoded, two_point_stats(structures, phases=2))).mean())

    refined = fitted.inverse_transform(Z, refine=True)
    assert (refined.shape, refined.dtype) == (X.shape, X.dtype)
    assert error(refined) < 0.95 * error(fitted.inverse_transform(Z))
    many = fitted.inverse_transform(Z, n_realizations=3, random_state=0, refine=True)
    assert many.shape == (40, 3, 8, 8)
    for realization in many.swapaxes(0, 1):
        assert error(realization) < 0.95 * error(fitted.inverse_transform(Z))
    assert (many[:, 0] != many[:, 1]).any((1, 2)).all()
    np.testing.assert_array_equal(many, fitted.inverse_transform(Z, n_realizations=3, random_state=0, refine=True))


def test_refinement_is_lazy_and_keeps_the_form(X, fitted, tiny) -> None:
    Z = fitted.transform(X)
    chunked = da.from_array(Z, chunks=(9, 2))
    for options in ({}, {"n_realizations": 2, "random_state": 5}):
        refined = fitted.inverse_transform(Z, refine=True, **options)
        lazily = fitted.inverse_transform(chunked, refine=True, **options)
        assert isinstance(lazily, da.Array)
        assert (lazily.shape, lazily.dtype) == (refined.shape, refined.dtype)
        assert np.mean(lazily.compute() != refined) < 0.05
    states = np.stack([X == 0, X == 1], axis=-1).astype(np.float32)
    model = tiny(state_axis=-1).fit(states)
    refined = model.inverse_transform(model.transform(states), refine=True, n_realizations=2)
    assert (refined.shape, refined.dtype) == ((40, 2, 8, 8, 2), np.float32)
    np.testing.assert_array_equal(refined.sum(-1), 1)


def test_refining_fractions_and_fields_is_refused(X, fitted, tiny) -> None:
    Z = da.from_array(fitted.transform(X))
    with pytest.raises(InputError, match="Omit one of the two"):
        fitted.inverse_transform(Z, refine=True, as_fractions=True)
    field = tiny().fit(X * 0.5)
    with pytest.raises(InputError, match="continuous fields"):
        field.inverse_transform(Z, refine=True)
