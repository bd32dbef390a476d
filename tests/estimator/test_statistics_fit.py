"""The closed-form fit: PCA where windows are few, better than PCA where they are many, and what the model carries."""

from __future__ import annotations

import numpy as np
import pytest

import matvae
from matvae import Grid, StatsVAETransformer, Structures, TwoPointPCA, load, memory, two_point_stats
from matvae.errors import InputError
from matvae.estimator import statistics_fit, statistics_rows
from matvae.stats import relative_error, surface_area, variogram

from ..structures import blobs, one_hot

CUT = {"periodic": False, "cutoff": 8}
GRID = Grid((24, 24), phases=2, periodic=False)


def model_of(n_components: int = 2, **parameters) -> StatsVAETransformer:
    return StatsVAETransformer(n_components, decoder="statistics", random_state=0, **{**CUT, **parameters})


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    """Windows of a material whose volume fraction and feature size vary."""
    rng = np.random.default_rng(0)
    parts = [
        blobs(10, (24, 24), seed=k, width=width, volume_fraction=fraction)
        for k, (width, fraction) in enumerate(zip(rng.uniform(1, 2.5, 30), rng.uniform(0.3, 0.6, 30), strict=True))
    ]
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def unseen() -> np.ndarray:
    """Further windows of the same kind."""
    rng = np.random.default_rng(1)
    parts = [
        blobs(2, (24, 24), seed=100 + k, width=width, volume_fraction=fraction)
        for k, (width, fraction) in enumerate(zip(rng.uniform(1, 2.5, 30), rng.uniform(0.3, 0.6, 30), strict=True))
    ]
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def fitted(windows) -> StatsVAETransformer:
    """A model of these windows, which tests must not modify."""
    return model_of().fit(windows)


def weighted_error(model: StatsVAETransformer, X: np.ndarray, decoded: np.ndarray) -> float:
    roots = np.sqrt(model.module_.statistics_decoder.weights.numpy()).reshape(decoded.shape[1:])
    return float(np.median(relative_error(two_point_stats(X, **CUT) * roots, decoded * roots)))


def test_few_windows_give_pca_and_the_model_says_so(windows) -> None:
    few = windows[:20]
    with pytest.warns(UserWarning, match=r"about 20 independent ones.*linear, i\.e\. PCA"):
        model = model_of(3).fit(few)
    pca = TwoPointPCA(3, metric="lags", **CUT).fit(few)
    np.testing.assert_allclose(
        model.inverse_statistics(model.transform(few)), pca.inverse_statistics(pca.transform(few)), atol=2e-5
    )
    scores, z = pca.transform(few), model.transform(few)
    np.testing.assert_allclose(z, scores / scores.std(0), atol=1e-3)


def test_overlapping_windows_count_once() -> None:
    image = blobs(1, (64, 64), width=1.5)[0]
    overlapping = np.lib.stride_tricks.sliding_window_view(image, (24, 24))[::2, ::2].reshape(-1, 24, 24)
    with pytest.warns(UserWarning, match=r"The 441 windows show as much material as about 1\d independent ones"):
        model_of().fit(overlapping)


def test_many_windows_beat_pca_in_the_same_metric(windows, unseen, fitted) -> None:
    pca = TwoPointPCA(2, metric="lags", **CUT).fit(windows)
    ours = weighted_error(fitted, unseen, fitted.inverse_statistics(fitted.transform(unseen)))
    linear = weighted_error(fitted, unseen, pca.inverse_statistics(pca.transform(unseen)))
    assert fitted.module_.spec.decoder_options["order"] == 2
    assert ours < linear


def test_latents_are_standard_normal_over_the_training_set(windows, fitted) -> None:
    z = fitted.transform(windows)
    np.testing.assert_allclose(z.mean(0), 0, atol=0.15)
    np.testing.assert_allclose(z.std(0), 1, atol=0.2)
    assert ((fitted.latent_spread_ > 0) & (fitted.latent_spread_ < 1)).all()


def test_volume_fractions_and_surface_are_decoded(unseen, fitted) -> None:
    decoded = fitted.inverse_descriptors(fitted.transform(unseen))
    fractions = np.stack([1 - unseen.mean((1, 2)), unseen.mean((1, 2))], axis=1)
    assert abs((decoded["volume_fraction"] - fractions).mean()) < 0.005
    assert np.abs(decoded["volume_fraction"] - fractions).max() < 0.05
    np.testing.assert_allclose(decoded["volume_fraction"].sum(1), 1, atol=1e-5)
    surface = surface_area(unseen, periodic=False)
    assert np.median(np.abs(decoded["surface_area"] / surface - 1)) < 0.1
    assert decoded["lineal_path"].shape == (len(unseen), 24, 2)


def test_rounds_of_the_fit_lower_the_error(fitted) -> None:
    losses = [record["loss"] for record in fitted.history_]
    assert len(losses) == 9
    assert losses[-1] < losses[0]
    assert fitted.history_[-1]["kl"] > 0


def test_two_fits_are_equal_and_chunks_change_little(windows, fitted) -> None:
    import dask.array as da

    again = model_of().fit(windows)
    np.testing.assert_array_equal(again.transform(windows[:20]), fitted.transform(windows[:20]))
    lazy = model_of().fit(da.from_array(windows, chunks=(64, 24, 24)))
    np.testing.assert_allclose(lazy.transform(windows[:20]), fitted.transform(windows[:20]), atol=2e-3)


def test_states_and_statistics_are_accepted(windows, fitted) -> None:
    states = one_hot(windows[:100], 2)
    by_states = model_of(state_axis=-1).fit(states)
    by_labels = model_of().fit(windows[:100])
    np.testing.assert_allclose(by_states.transform(states), by_labels.transform(windows[:100]), atol=1e-2)
    f = two_point_stats(windows, **CUT)
    by_statistics = model_of(input="statistics", sample_shape=(24, 24)).fit(f)
    np.testing.assert_allclose(
        by_statistics.inverse_statistics(by_statistics.transform(f)),
        fitted.inverse_statistics(fitted.transform(windows)),
        atol=5e-3,
    )
    assert by_statistics.inverse_descriptors(by_statistics.transform(f)) == {}


def test_a_saved_model_is_the_same(windows, fitted, tmp_path) -> None:
    fitted.save(tmp_path / "m.matvae")
    loaded = load(tmp_path / "m.matvae")
    np.testing.assert_array_equal(loaded.transform(windows[:10]), fitted.transform(windows[:10]))
    np.testing.assert_array_equal(
        loaded.module_.statistics_decoder.examples, fitted.module_.statistics_decoder.examples
    )


def test_examples_are_training_windows_of_bounded_size(windows, monkeypatch) -> None:
    monkeypatch.setattr(statistics_fit, "EXAMPLE_BYTES", 5 * 24 * 24)
    examples = model_of().fit(windows).module_.statistics_decoder.examples.numpy()
    assert examples.shape == (5, 24, 24)
    assert all((example == windows).all((1, 2)).any() for example in examples)


def test_parameters_of_networks_are_said_to_have_no_effect(windows) -> None:
    with pytest.warns(UserWarning, match="width, max_epochs have no effect on the decoder 'statistics'"):
        model_of(width=7, max_epochs=3).fit(windows)


def test_passes_and_too_many_components_are_refused(windows) -> None:
    with pytest.raises(InputError, match="fitted to all samples at once"):
        model_of().partial_fit(windows)
    with pytest.raises(InputError, match=r"smaller than the number of samples \(10\)"):
        model_of(10).fit(windows[:10])


def test_score_is_that_of_decoded_statistics(unseen, fitted) -> None:
    decoded = fitted.inverse_statistics(fitted.transform(unseen))
    assert fitted.score(unseen) == pytest.approx(-relative_error(two_point_stats(unseen, **CUT), decoded).mean())


@pytest.fixture(scope="module")
def rim(windows) -> np.ndarray:
    """A mask that leaves out the first column of all windows but every tenth."""
    inside = np.ones(windows.shape, bool)
    inside[:, :, 0] = False
    inside[::10] = True
    return inside


def test_a_model_of_masked_windows_carries_whole_ones(windows, rim) -> None:
    model = model_of().fit(Structures(windows, GRID, mask=rim))
    whole = {window.tobytes() for window in windows[::10]}
    examples = model.module_.examples.numpy()
    assert len(examples) > 20
    assert {example.tobytes() for example in examples} <= whole


def test_descriptors_of_masked_windows_are_those_of_the_voxels_inside(windows, rim, fitted) -> None:
    masked = Structures(windows, GRID, mask=rim)
    model = model_of().fit(masked)
    decoded = model.inverse_descriptors(np.asarray(model.transform(masked)))
    assert set(decoded) == {"volume_fraction", "surface_area", "lineal_path", "variogram"}
    inside = np.array([window[mask].mean() for window, mask in zip(windows, rim, strict=True)])
    # With zeros outside it would be 4 % lower.
    assert decoded["volume_fraction"][:, 1].mean() == pytest.approx(inside.mean(), rel=0.005)
    assert np.corrcoef(decoded["volume_fraction"][:, 1], inside)[0, 1] > 0.98
    surface = surface_area(windows, spatial_dims=2, periodic=False, mask=rim)[:, 1]
    # The rim of the mask is no surface.
    with_rim = surface_area(windows * rim, spatial_dims=2, periodic=False)[:, 1]
    assert with_rim.mean() > 1.02 * surface.mean()
    assert decoded["surface_area"][:, 1].mean() == pytest.approx(surface.mean(), rel=0.01)
    assert np.corrcoef(decoded["surface_area"][:, 1], surface)[0, 1] > 0.85
    directions = variogram(windows, spatial_dims=2, periodic=False, mask=rim)
    np.testing.assert_allclose(decoded["variogram"].mean(0), directions.mean(0), rtol=0.01)
    of_whole = fitted.inverse_descriptors(np.asarray(fitted.transform(windows)))
    # The lineal path is fitted to 30 windows only.
    np.testing.assert_allclose(decoded["lineal_path"].mean(0), of_whole["lineal_path"].mean(0), atol=0.02)


def test_without_whole_windows_structures_follow_from_statistics(windows, rim) -> None:
    inside = rim.copy()
    inside[:, 0, 0] = False
    with (
        pytest.warns(UserWarning, match="the model contains no training windows"),
        pytest.warns(UserWarning, match="does not predict lineal_path"),
    ):
        model = model_of().fit(Structures(windows, GRID, mask=inside))
    assert len(model.module_.examples) == 0
    assert set(model.inverse_descriptors(np.zeros((1, 2)))) == {"volume_fraction", "surface_area", "variogram"}
    structures = model.inverse_transform(np.zeros((1, 2)), random_state=0)
    f = two_point_stats(structures, spatial_dims=2, **CUT)
    assert relative_error(f, np.asarray(model.inverse_statistics(np.zeros((1, 2)))))[0] < 0.1
    with pytest.raises(InputError, match='realize="retrieval"'):
        model.inverse_transform(np.zeros((1, 2)), realize="examples")
    # The posterior has the width of the residuals instead of that of the sampling noise.
    assert (model.latent_spread_ > 0).all()
    assert (model.latent_spread_ < 1).all()


def test_a_fit_that_needs_more_memory_than_is_free_is_refused(windows, monkeypatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 10_000_000)
    fit = model_of().fit
    fit(windows[:120])
    monkeypatch.setattr(statistics_rows, "IN_MEMORY_BYTES", 1)
    monkeypatch.setattr(statistics_rows, "LARGEST_MATRIX", 1)
    with pytest.raises(InputError, match=r"17 x 17 x 1 statistics needs about .*smaller cutoff.*, or smaller windows"):
        fit(windows[:120].repeat(8, axis=0))


@pytest.mark.parametrize("label", [0, 1])
def test_structures_that_are_all_equal_are_refused(label) -> None:
    with pytest.raises(InputError, match=r"the statistics of all 30 are equal.*matvae\.data\.windows"):
        model_of().fit(np.full((30, 24, 24), label, np.uint8))


def test_the_advice_on_masked_arrays_fits_their_voxels(windows) -> None:
    X = np.ma.masked_array(windows[:60], mask=np.zeros(windows[:60].shape, bool))
    X.mask[:, :3] = True
    with pytest.raises(InputError, match="masked one was given") as refusal:
        model_of().fit(X)
    advice = str(refusal.value).partition("Pass ")[2].partition(", with the number")[0]
    structures = eval(advice, {"numpy": np, "matvae": matvae, "X": X})
    np.testing.assert_array_equal(structures.mask.compute(), ~X.mask)
    assert model_of().fit(structures).grid_.phases == 2
