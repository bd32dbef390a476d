"""Structures realized from decoded statistics: volume fractions, surface, other shapes, and what is refused."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from matvae import StatsVAETransformer, memory, reconstruct, two_point_stats
from matvae.data.subsets import spread_indices
from matvae.errors import InputError
from matvae.estimator import FittedModel
from matvae.estimator.statistics_fit import CALIBRATION_WINDOWS
from matvae.estimator.textures import TextureRealizer, for_shape
from matvae.reconstruction import Wanted, tiles
from matvae.stats import surface_area, variogram

from ..structures import blobs


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    """Windows of one material."""
    return blobs(80, (24, 24), width=2.0, volume_fraction=np.linspace(0.3, 0.6, 80))


@pytest.fixture(scope="module")
def model(windows) -> StatsVAETransformer:
    """A model that decodes statistics, which tests must not modify."""
    return StatsVAETransformer(2, decoder="statistics", periodic=False, cutoff=8, random_state=0).fit(windows)


@pytest.fixture(scope="module")
def latents(model, windows) -> np.ndarray:
    """Latents of three windows."""
    return model.transform(windows[[10, 40, 70]])


def test_phase_retrieval_gives_the_decoded_volume_fraction_and_surface(model, latents) -> None:
    structures = model.inverse_transform(latents, realize="retrieval", random_state=0)
    assert structures.shape == (3, 24, 24)
    assert structures.dtype == np.uint8
    decoded = model.inverse_descriptors(latents)
    np.testing.assert_allclose(structures.mean((1, 2)), decoded["volume_fraction"][:, 1], atol=0.01)
    surface = surface_area(structures, phases=2, periodic=False)
    np.testing.assert_allclose(surface, decoded["surface_area"], rtol=0.1)


@pytest.mark.parametrize("realize", ["retrieval", "examples"])
def test_interfaces_run_in_all_directions_as_in_the_windows(windows, realize) -> None:
    """Boxes have the least voxel faces for their area, but more interface along the diagonals than round features."""
    model = StatsVAETransformer(2, decoder="statistics", periodic=False, cutoff=8, random_state=0).fit(windows)
    latents = model.transform(windows[::10])
    values = variogram(windows[::10], phases=2, periodic=False)[..., 1].mean(0)
    structures = model.inverse_transform(latents, realize=realize, random_state=0)
    realized = variogram(structures, phases=2, periodic=False)[..., 1].mean(0)
    ratio, true_ratio = (np.mean([g[0, 0], g[0, 2]]) / np.mean([g[0, 1], g[1, 0]]) for g in (realized, values))
    assert ratio == pytest.approx(true_ratio, rel=0.05)


def test_an_uncertain_variogram_counts_less_than_the_statistics() -> None:
    rng = np.random.default_rng(0)
    field = gaussian_filter(rng.standard_normal((24, 24)), 2.0, mode="wrap")
    smooth = (field < np.quantile(field, np.linspace(0.3, 0.6, 80))[:, None, None]).astype(np.uint8)
    # Isolated voxels, more of them in some windows than in others, change interfaces more than statistics.
    rough = smooth ^ (rng.random(smooth.shape) < rng.uniform(0, 0.02, (80, 1, 1)))

    def weight(windows: np.ndarray) -> float:
        model = StatsVAETransformer(1, decoder="statistics", periodic=False, cutoff=8, random_state=0).fit(windows)
        decoder = FittedModel.of(model).module.statistics_decoder
        some = spread_indices(len(decoder.examples), CALIBRATION_WINDOWS)
        examples, latents = decoder.examples[some].numpy(), decoder.example_latents[some].numpy()
        f = two_point_stats(examples, phases=2, periodic=False, cutoff=8)
        true = variogram(examples, phases=2, periodic=False)
        error = median_error(f, model.inverse_statistics(latents))
        expected = min(1.0, error / median_error(true, model.inverse_descriptors(latents)["variogram"])) ** 2
        # The median of torch is the lower one of two.
        assert float(decoder.variogram_weight) == pytest.approx(expected, rel=0.05)
        return expected

    assert weight(rough) < 0.5 * weight(smooth)


def median_error(expected: np.ndarray, actual: np.ndarray) -> float:
    """Median relative error of statistics ``(sample, ...)``."""
    n = len(expected)
    sizes = np.linalg.norm(expected.reshape(n, -1), axis=1)
    return np.median(np.linalg.norm((actual - expected).reshape(n, -1), axis=1) / sizes)


def test_a_phase_that_no_near_window_has_comes_from_the_nearest_that_has_it() -> None:
    windows = blobs(60, (24, 24), width=2.0, volume_fraction=np.linspace(0.05, 0.5, 60))
    windows[:40] = 0
    model = StatsVAETransformer(1, decoder="statistics", periodic=False, cutoff=8, random_state=0).fit(windows)
    realizer = TextureRealizer(FittedModel.of(model).module, model.grid_, (24, 24), "examples")
    examples = realizer._examples(torch.from_numpy(model.transform(windows[:1])))
    assert set(examples.unique().tolist()) == {0, 1}
    structures = model.inverse_transform(model.transform(windows[[0, 59]]), realize="examples", random_state=0)
    assert structures[0].mean() < 0.05 < structures[1].mean()


def test_patches_are_those_of_reconstruct(model, latents) -> None:
    z = latents[:1]
    decoder = FittedModel.of(model).module.statistics_decoder
    realizer = TextureRealizer(FittedModel.of(model).module, model.grid_, model.grid_.shape, "examples", patch=(5, 3))
    nearest = np.argsort(((decoder.example_latents.numpy() - z) ** 2).sum(1), kind="stable")
    wanted = Wanted("variogram", model.inverse_descriptors(z)["variogram"], weight=float(decoder.variogram_weight))
    expected = reconstruct(
        model.inverse_statistics(z),
        grid=model.grid_,
        also=[wanted],
        examples=decoder.examples.numpy()[nearest],
        patch=(5, 3),
        random_state=0,
    ).structures
    np.testing.assert_array_equal(realizer.of(z, np.array([[0]])), expected)
    chosen, default = (model.inverse_transform(z, patch=patch, random_state=0) for patch in ((5, 3), "auto"))
    assert (chosen != default).any()


def test_structures_of_other_shapes_have_the_volume_fraction_and_short_lags(model, latents) -> None:
    structures = model.inverse_transform(latents[:1], shape=(40, 60), realize="retrieval", random_state=0)
    assert structures.shape == (1, 40, 60)
    statistics = model.inverse_statistics(latents[:1])
    assert structures.mean() == pytest.approx(float(statistics[0, 8, 8, 0]), abs=0.01)
    f = two_point_stats(structures, phases=2, periodic=False, cutoff=8)
    np.testing.assert_allclose(f[0, 6:11, 6:11, 0], statistics[0, 6:11, 6:11, 0], atol=0.02)


def test_realizations_do_not_depend_on_chunks(model, latents) -> None:
    options = {"n_realizations": 2, "random_state": 3, "realize": "retrieval"}
    whole = model.inverse_transform(latents, **options)
    assert whole.shape == (3, 2, 24, 24)
    lazy = model.inverse_transform(da.from_array(latents, chunks=(1, 2)), **options)
    np.testing.assert_array_equal(lazy.compute(), whole)
    differing = (whole[:, 0] != whole[:, 1]).mean((1, 2))
    assert (differing > 0.1).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"realize": "paint"}, "realize must be one of"),
        ({"realize": "decoder"}, "this model decodes statistics"),
        ({"as_fractions": True}, "decoders of structures"),
        ({"refine": True}, "decoders of structures"),
        ({"realize": "retrieval", "patch": 5}, "uses none"),
        ({"patch": 99}, "patch"),
        ({"shape": (24,)}, "shape must hold 2 numbers"),
        ({"shape": (24, 2)}, "at least 4 voxels"),
    ],
)
def test_requests_that_make_no_sense_are_refused(model, latents, options, message) -> None:
    with pytest.raises(InputError, match=message):
        model.inverse_transform(latents, **options)


def test_structures_larger_than_memory_are_refused(model, latents, monkeypatch) -> None:
    with pytest.raises(InputError, match="Realizing 3 structures of 9999999 x 9999999 voxels needs about"):
        model.inverse_transform(latents, shape=9_999_999)
    monkeypatch.setattr(memory, "free_memory", lambda device: 4_000_000)
    with pytest.raises(InputError, match=r"Realizing 2 structures of 512 x 512 voxels .* fewer structures at once"):
        model.inverse_transform(latents[:1], shape=512, n_realizations=2, realize="retrieval")
    # Of dask latents, only one structure is held at once, but it needs the same working memory.
    with pytest.raises(InputError, match="Realizing 1 structure of 512 x 512"):
        model.inverse_transform(da.from_array(latents, chunks=(1, 2)), shape=512, realize="retrieval")


def test_large_structures_are_made_of_tiles_of_examples(model, latents, monkeypatch) -> None:
    whole = model.inverse_transform(latents[:1], shape=(48, 40), random_state=0)
    monkeypatch.setattr(tiles, "MOST_VOXELS", 1000)
    monkeypatch.setitem(tiles.EDGE, 2, 24)
    monkeypatch.setitem(tiles.MARGIN, 2, 8)
    structures = model.inverse_transform(latents[:1], shape=(48, 40), random_state=0)
    assert structures.shape == whole.shape == (1, 48, 40)
    assert structures.mean() == pytest.approx(whole.mean(), abs=0.005)
    several = model.inverse_transform(latents[:1], n_realizations=2, shape=(48, 40), random_state=0)
    assert several.shape == (1, 2, 48, 40)
    np.testing.assert_array_equal(several[:, 0], structures)
    assert (several[:, 0] != several[:, 1]).mean() > 0.1


def test_a_decoder_of_structures_has_no_examples(windows) -> None:
    model = StatsVAETransformer(2, decoder="dense", max_epochs=1, width=8, periodic=False, cutoff=8, random_state=0)
    Z = model.fit(windows).transform(windows[:2])
    with pytest.raises(InputError, match="needs training windows in the model"):
        model.inverse_transform(Z, realize="examples")
    assert model.inverse_transform(Z, realize="retrieval", shape=30).shape == (2, 30, 30)


@pytest.mark.parametrize("periodic", [True, False])
def test_far_lags_come_to_the_product_of_volume_fractions(periodic) -> None:
    f = torch.from_numpy(two_point_stats(blobs(4, (32, 32), phases=3), periodic=periodic))
    pairs = ((1, 1), (1, 2), (2, 2))
    adapted = for_shape(f, pairs, (48, 40), periodic=periodic)
    n = 31 if periodic else 63
    assert adapted.shape == (4, n, n, 3)
    centre = n // 2
    original = f[:, 16 - centre : 17 + centre, 16 - centre : 17 + centre] if periodic else f
    torch.testing.assert_close(adapted[:, centre, centre], original[:, centre, centre])
    torch.testing.assert_close(adapted[:, centre, centre + 1], original[:, centre, centre + 1], atol=2e-3, rtol=0)
    fractions = adapted[:, centre, centre, [0, 2]]
    far = adapted[:, 0, :].mean(1)
    products = torch.stack([fractions[:, 0] ** 2, fractions[:, 0] * fractions[:, 1], fractions[:, 1] ** 2], dim=1)
    before = original[:, 0, :].mean(1)
    assert (far - products).abs().mean() < (before - products).abs().mean()


def test_smaller_shapes_lose_the_lags_that_they_do_not_have() -> None:
    f = torch.from_numpy(two_point_stats(blobs(1, (32, 32)), periodic=False, cutoff=16))
    assert for_shape(f, ((1, 1),), (12, 20), periodic=False).shape == (1, 23, 33, 1)
    assert for_shape(f, ((1, 1),), (12, 20), periodic=True).shape == (1, 11, 19, 1)
