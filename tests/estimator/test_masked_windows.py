"""Windows partly outside a mask take part with the statistics of the voxels inside; nothing outside counts."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, Structures, TwoPointPCA, two_point_stats
from matvae.data import windows
from matvae.data.subsets import select
from matvae.errors import InputError
from matvae.estimator.masked_windows import LEAST_SHARE, mean_of_measured, rows_with_masks, window_shares
from matvae.stats import relative_error

from ..structures import blobs

CUT = {"periodic": False, "cutoff": 6}
GRID = Grid((24, 24), phases=2, periodic=False)
MEASURED = "half of the voxel pairs of a whole window"


def textures(n_components: int = 2, **parameters) -> StatsVAETransformer:
    return StatsVAETransformer(n_components, decoder="statistics", random_state=0, **{**CUT, **parameters})


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    """Windows of a material whose volume fraction and feature size vary."""
    rng = np.random.default_rng(0)
    made = [
        blobs(10, (24, 24), seed=k, width=width, volume_fraction=fraction)
        for k, (width, fraction) in enumerate(zip(rng.uniform(1, 2.5, 16), rng.uniform(0.3, 0.6, 16), strict=True))
    ]
    return np.concatenate(made)


@pytest.fixture(scope="module")
def mask(labels) -> np.ndarray:
    """Every other window lacks some of its first rows, from 1 to 12 of them; the others are whole."""
    inside = np.ones(labels.shape, bool)
    for k in range(0, len(labels), 2):
        inside[k, : 1 + (k // 2) % 12] = False
    return inside


@pytest.fixture(scope="module")
def masked(labels, mask) -> Structures:
    return Structures(labels, GRID, mask=mask)


@pytest.fixture(scope="module")
def kept(mask) -> np.ndarray:
    """Windows with enough pairs: of 18 pairs of rows six apart, at least nine lie below the missing rows."""
    n_missing = (~mask[:, :, 0]).sum(1)
    return n_missing <= 9


@pytest.fixture(scope="module", params=["textures", "pca"])
def make(request):
    """An unfitted estimator of statistics."""
    return textures if request.param == "textures" else lambda **options: TwoPointPCA(2, **{**CUT, **options})


def mean_statistics(estimator) -> np.ndarray:
    mean = estimator.mean_ if isinstance(estimator, TwoPointPCA) else estimator.module_.statistics_decoder.mean.numpy()
    return mean.reshape(13, 13)


@pytest.fixture(scope="module")
def fitted(make, masked):
    with pytest.warns(UserWarning, match=MEASURED):
        return make().fit(masked)


@pytest.fixture(scope="module")
def fitted_whole(make, labels):
    return make().fit(Structures(labels, GRID))


def test_windows_are_counted_and_those_with_few_pairs_left_out(make, masked, kept, caplog) -> None:
    shares = window_shares(make(), masked.mask)
    np.testing.assert_array_equal(shares >= LEAST_SHARE, kept)
    n_whole, n_left_out = 80, int((~kept).sum())
    assert n_left_out == 18
    words = f"Of 160 windows, {n_whole} lie inside the mask entirely, 62 partly .* and 18 are left out"
    with pytest.warns(UserWarning, match=words):
        make().fit(masked)
    # The advice works.
    fewer = window_shares(make(cutoff=3), masked.mask) < LEAST_SHARE
    assert fewer.sum() < n_left_out
    with caplog.at_level(logging.INFO, logger="matvae"):
        make().fit(select(masked, np.flatnonzero(kept)))
    assert "Of 142 windows, 80 lie inside the mask entirely, 62 partly" in caplog.text


def test_the_mean_is_that_of_masked_statistics(fitted, labels, mask, kept) -> None:
    f = two_point_stats(labels, spatial_dims=2, phases=2, mask=mask, **CUT)
    np.testing.assert_allclose(mean_statistics(fitted), f[kept].mean(0)[..., 0], atol=1e-6)


@pytest.mark.parametrize("make_estimator", [textures, lambda: TwoPointPCA(2, **CUT)])
def test_the_mean_is_that_of_the_medium(make_estimator) -> None:
    """Independent voxels with the volume fraction p have S2 = p at lag zero and p^2 elsewhere."""
    rng = np.random.default_rng(4)
    noise = (rng.random((400, 24, 24)) < 0.3).astype(np.uint8)
    y, x = np.indices((24, 24))
    centres = rng.uniform(5, 19, (2, 400, 1, 1))
    disc = (y - centres[0]) ** 2 + (x - centres[1]) ** 2 < 15**2
    assert 0.6 < disc.mean() < 0.95
    set_of_discs = Structures(noise, GRID, mask=disc)
    estimator = make_estimator()
    is_kept = window_shares(estimator, set_of_discs.mask) >= LEAST_SHARE
    assert is_kept.sum() > 200
    mean = mean_statistics(estimator.fit(select(set_of_discs, np.flatnonzero(is_kept))))
    expected = np.full((13, 13), 0.09)
    expected[6, 6] = 0.3
    f = two_point_stats(noise[is_kept], spatial_dims=2, mask=disc[is_kept], **CUT)[..., 0]
    standard_error = f.std(0) / np.sqrt(is_kept.sum())
    assert (np.abs(mean - expected) < 4.5 * standard_error).all()
    # The standard error is small beside what a bias by the mask would be.
    assert standard_error.max() < 0.003


def test_masked_and_whole_fits_agree_within_sampling_error(fitted, fitted_whole, labels, kept) -> None:
    scatter = two_point_stats(labels, spatial_dims=2, **CUT)[..., 0].std(0)
    difference = np.abs(mean_statistics(fitted) - mean_statistics(fitted_whole))
    assert (difference < 3 * scatter / np.sqrt(kept.sum())).all()
    assert fitted.score(labels[kept]) == pytest.approx(fitted_whole.score(labels[kept]), abs=0.02)


def test_a_mask_of_everything_changes_nothing(make, fitted_whole, labels) -> None:
    everything = Structures(labels, GRID, mask=np.ones(labels.shape, bool))
    estimator = make().fit(everything)
    np.testing.assert_array_equal(mean_statistics(estimator), mean_statistics(fitted_whole))
    np.testing.assert_array_equal(estimator.transform(everything), fitted_whole.transform(labels))
    assert estimator.score(everything) == fitted_whole.score(labels)


def test_values_outside_have_no_influence(make, fitted, masked, labels, mask) -> None:
    others = np.where(mask, labels, np.random.default_rng(1).integers(0, 255, labels.shape)).astype(np.uint8)
    same = replace(masked, data=others)
    np.testing.assert_array_equal(fitted.transform(same), fitted.transform(masked))
    np.testing.assert_array_equal(fitted.statistics(same), fitted.statistics(masked))
    assert fitted.score(same) == fitted.score(masked)
    np.testing.assert_array_equal(make().fit(same).transform(masked), fitted.transform(masked))


def test_latents_of_masked_windows_are_near_those_of_the_whole(fitted, masked, labels, mask, kept) -> None:
    z, whole = np.asarray(fitted.transform(masked)), np.asarray(fitted.transform(labels))
    is_whole = mask.all((1, 2))
    np.testing.assert_array_equal(z[is_whole], whole[is_whole])
    partly = kept & ~is_whole
    distance = np.linalg.norm(z - whole, axis=1)
    scale = np.linalg.norm(whole - whole.mean(0), axis=1).mean()
    assert 0 < distance[partly].mean() < 0.5 * scale
    # The fewer rows are missing, the nearer.
    n_missing = (~mask[:, :, 0]).sum(1)
    assert distance[partly & (n_missing <= 2)].mean() < 0.5 * distance[partly & (n_missing >= 7)].mean()


def test_windows_with_few_pairs_have_no_latents(fitted, masked, kept) -> None:
    with pytest.warns(UserWarning, match="without half of the voxel pairs"):
        z, f = np.asarray(fitted.transform(masked)), np.asarray(fitted.statistics(masked))
    np.testing.assert_array_equal(np.isnan(z).any(1), ~kept)
    np.testing.assert_array_equal(np.isnan(f).all((1, 2, 3)), ~kept)
    assert np.isfinite(z[kept]).all()
    decoded = np.asarray(fitted.inverse_statistics(z[kept]))
    expected = -float(np.mean(relative_error(f[kept], decoded.reshape(f[kept].shape))))
    assert fitted.score(masked) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(InputError, match=r"None of the 18 windows.*min_valid=1"):
        fitted.score(select(masked, np.flatnonzero(~kept)))


def test_chunks_change_nothing(fitted, masked) -> None:
    split = replace(masked, data=masked.data.rechunk((7, 24, 24)))
    # Products of matrices are rounded differently in larger blocks.
    np.testing.assert_allclose(fitted.transform(split), fitted.transform(masked), atol=1e-5)


def test_too_few_windows_are_refused_and_the_advice_works(make, labels) -> None:
    strips = np.zeros(labels.shape, bool)
    strips[:, :10] = True
    with pytest.raises(InputError, match=r"leaves 0 of 160.*--cutoff"):
        make().fit(Structures(labels, GRID, mask=strips))
    thick = np.zeros(labels.shape, bool)
    thick[:, :16] = True
    make(cutoff=3).fit(Structures(labels, GRID, mask=thick))


def test_continuous_fields_take_nan_outside() -> None:
    field = np.random.default_rng(0).normal(size=(30, 24, 24)) + 1
    inside = np.ones(field.shape, bool)
    inside[::2, :, :4] = False
    grid = Grid((24, 24), phases=1, periodic=False)
    masked = Structures(np.where(inside, field, np.nan), grid, mask=inside)
    pca = TwoPointPCA(2, **CUT).fit(masked)
    expected = two_point_stats(np.where(inside, field, 0), spatial_dims=2, phases=1, mask=inside, **CUT)
    np.testing.assert_allclose(pca.mean_, expected.mean(0), rtol=1e-6)
    assert np.isfinite(np.asarray(pca.transform(masked))).all()


@pytest.mark.parametrize("periodic", [True, False])
def test_volumes_of_three_phases(periodic) -> None:
    volumes = blobs(24, (10, 9, 8), phases=3)
    inside = np.random.default_rng(0).random(volumes.shape) < 0.9
    inside[::2] = True
    grid = Grid((10, 9, 8), phases=3, periodic=periodic)
    options = {"periodic": periodic, "cutoff": 3}
    pca = TwoPointPCA(2, **options).fit(Structures(volumes, grid, mask=inside))
    f = two_point_stats(volumes, phases=3, mask=inside, **options)
    np.testing.assert_allclose(pca.mean_, f.mean(0), atol=1e-6)
    model = textures(1, **options).fit(Structures(volumes, grid, mask=inside))
    np.testing.assert_allclose(model.statistics(Structures(volumes, grid, mask=inside)), f, atol=2e-6)


def test_structures_are_learned_from_whole_windows(masked, labels, mask, tiny) -> None:
    options = {**CUT, "max_epochs": 1}
    with pytest.warns(UserWarning, match="62 of 142 windows lie inside the mask only partly"):
        network = tiny(**options).fit(masked)
    same = tiny(**options).fit(Structures(labels[1::2], GRID))
    whole = labels[1::2]
    np.testing.assert_array_equal(network.transform(whole), same.transform(whole))
    # Its encoder reads statistics, also masked ones.
    assert np.isfinite(np.asarray(network.transform(masked))[mask.all((1, 2))]).all()
    assert np.isfinite(network.score(masked))
    with pytest.warns(UserWarning, match="80 of 160 windows lie inside the mask only partly"):
        tiny(**options).partial_fit(masked)
    partly = select(masked, np.arange(0, 160, 2))
    with pytest.raises(InputError, match=r"only 0 of 62.*--decoder statistics"):
        tiny(**options).fit(partly)
    # The advice works.
    with pytest.warns(UserWarning, match="contains no training windows"):
        tiny(**options, decoder="statistics").fit(partly)


def test_an_encoder_of_structures_takes_whole_windows_alone(masked, mask, tiny) -> None:
    model = tiny(encoder="image", max_epochs=1, **CUT).fit(masked)
    with pytest.warns(UserWarning, match="that the mask leaves not whole"):
        z = np.asarray(model.transform(masked))
    np.testing.assert_array_equal(np.isnan(z).any(1), ~mask.all((1, 2)))


def test_windows_cut_from_a_round_sample(tmp_path) -> None:
    image = blobs(1, (160, 160), width=2.0)
    y, x = np.indices((160, 160))
    inside = (y - 80) ** 2 + (x - 80) ** 2 < 78**2
    sample = Structures(image, Grid((160, 160), phases=2, periodic=False), mask=inside[None])
    cut = windows(sample, 40, stride=20)
    pca = TwoPointPCA(3, periodic=False, cutoff=10).fit(cut)
    whole = TwoPointPCA(3, periodic=False, cutoff=10).fit(windows(sample, 40, stride=20, min_valid=1))
    unseen = windows(Structures(blobs(4, (160, 160), seed=9, width=2.0), sample.grid), 40, stride=40)
    # The windows near the rim show more of the material.
    assert pca.score(unseen) > whole.score(unseen)


def test_rows_are_computed_by_group() -> None:
    block = np.arange(4.0)[:, None] * np.ones((4, 6))
    mask = np.ones((4, 6), bool)
    mask[1, 0], mask[3, 1:] = False, False
    seen = []

    def compute(part, inside=None):
        seen.append((len(part), inside is None))
        return part[:, :2]

    with pytest.warns(UserWarning, match="rows are NaN"):
        rows = rows_with_masks(compute, block, mask, (2,), periodic=False, cutoff=1)
    np.testing.assert_array_equal(rows, [[0, 0], [1, 1], [2, 2], [np.nan, np.nan]])
    assert seen == [(2, True), (1, False)]
    assert rows_with_masks(compute, block, None, (2,), periodic=False, cutoff=1).shape == (4, 2)


def test_the_mean_leaves_out_what_was_not_measured() -> None:
    assert mean_of_measured(np.array([1.0, np.nan, 3.0])) == 2
