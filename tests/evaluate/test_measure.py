"""Errors accumulated block by block equal those of whole arrays."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, Structures, TwoPointPCA
from matvae.evaluate.baseline import pca_like
from matvae.evaluate.measure import Kept, block_size, latents_of, measure, round_trip, volume_fractions


def relative(f, g):
    return np.linalg.norm((f - g).reshape(len(f), -1), axis=1) / np.linalg.norm(f.reshape(len(f), -1), axis=1)


def centred(f, g):
    return np.linalg.norm(f - g) / np.linalg.norm(f - f.mean(0))


def check(summary, f, g):
    f, g = f.astype(float), g.astype(float).reshape(f.shape)
    assert summary["relative_error"] == pytest.approx(relative(f, g).mean(), abs=1e-5)
    assert summary["median_relative_error"] == pytest.approx(np.median(relative(f, g)), abs=1e-5)
    assert summary["centred_error"] == pytest.approx(centred(f, g), abs=1e-5)


@pytest.mark.parametrize("size", [1, 4, 100])
def test_statistics_and_structures_are_measured(model, unseen, size, block_of):
    block_of(size)
    X = unseen.data.compute()
    f, z = model.statistics(X), model.transform(X)
    measurement = measure(model, unseen)
    np.testing.assert_allclose(measurement.latents, z, atol=1e-5)
    np.testing.assert_allclose(latents_of(model, unseen), z, atol=1e-5)
    check(measurement.decoded, f, model.inverse_statistics(z))
    reconstructions = model.inverse_transform(z)
    check(measurement.reconstructed, f, model.statistics(reconstructions))
    np.testing.assert_allclose(measurement.errors, relative(f, model.statistics(reconstructions)), rtol=1e-4)
    assert -measurement.errors.mean() == pytest.approx(model.score(X), abs=1e-5)
    n, m = (labels.reshape(len(labels), -1).sum(1).astype(float) for labels in (X, reconstructions))
    assert measurement.volume_fraction_difference == pytest.approx(100 * (abs(n - m) / n).mean())
    np.testing.assert_allclose(measurement.volume_fractions, np.stack([n, m])[..., None] / 64)
    assert measurement.scatter.n == 21


@pytest.mark.parametrize("size", [1, 4, 100])
def test_some_structures_are_kept_with_all_that_is_made_of_them(model, unseen, size, block_of):
    block_of(size)
    keep = Kept(np.array([0, 3, 4, 20]))
    measure(model, unseen, keep)
    kept, X = keep.trip, unseen.data.compute()[[0, 3, 4, 20]]
    expected = round_trip(model, X)
    assert (kept.start, kept.stop) == (0, 4)
    np.testing.assert_array_equal(kept.structures, X)
    np.testing.assert_array_equal(kept.reconstructions, expected.reconstructions)
    for name in ("statistics", "latents", "decoded_statistics", "reconstructed_statistics"):
        np.testing.assert_allclose(vars(kept)[name], vars(expected)[name], atol=1e-5)
    keep = Kept(np.array([2]))
    measure(model, unseen, keep, decode=False, reconstruct=False)
    assert keep.trip.latents.shape == (1, kept.latents.shape[1])
    assert keep.trip.decoded_statistics is keep.trip.reconstructions is None


def test_pca_is_measured_like_a_model(model, training, unseen, block_of):
    block_of(4)
    pca = pca_like(model, 2).fit(training.data)
    X = unseen.data.compute()
    measurement = measure(pca, unseen)
    check(measurement.decoded, pca.statistics(X), pca.inverse_statistics(pca.transform(X)))
    # Structures realized from PC scores have hardly larger errors than the scores.
    assert measurement.reconstructed["centred_error"] == pytest.approx(measurement.decoded["centred_error"], rel=0.3)
    assert measurement.volume_fraction_difference < 25


def test_structures_of_pca_are_measured(unseen):
    class Exact(TwoPointPCA):
        def inverse_transform(self, Z, random_state=None):
            return unseen.data.compute()

    measurement = measure(Exact(3, phases=2).fit(unseen.data), unseen)
    assert measurement.reconstructed["centred_error"] == measurement.volume_fraction_difference == 0.0
    assert measurement.decoded["centred_error"] > 0


def test_the_seed_reaches_every_block(training, block_of):
    seeds = []

    class Recorded(TwoPointPCA):
        def inverse_transform(self, Z, random_state=None):
            seeds.append(random_state)
            return super().inverse_transform(Z, random_state=random_state)

    pca = Recorded(2, phases=2).fit(training.data)
    block_of(4)
    first, repeated, other = (measure(pca, training[:8], random_state=seed).errors for seed in (0, 0, 1))
    assert seeds == [0, 0, 0, 0, 1, 1]
    np.testing.assert_array_equal(first, repeated)
    assert not np.array_equal(first, other)


def test_observers_see_every_block_and_progress_is_reported(model, unseen, block_of):
    block_of(8)
    trips, progress = [], []
    measurement = measure(model, unseen, trips.append, progress=lambda done, total: progress.append((done, total)))
    assert [(trip.start, trip.stop) for trip in trips] == [(0, 8), (8, 16), (16, 21)]
    assert progress == [(8, 21), (16, 21), (21, 21)]
    np.testing.assert_array_equal(np.concatenate([trip.structures for trip in trips]), unseen.data.compute())
    np.testing.assert_array_equal(np.concatenate([trip.latents for trip in trips]), measurement.latents)
    alone = round_trip(model, unseen.data[8:16].compute(), start=8)
    for expected, observed in zip(astuple(alone), astuple(trips[1]), strict=True):
        np.testing.assert_array_equal(observed, expected)


def test_decoded_statistics_are_measured_only_if_requested(model, unseen, monkeypatch):
    expected = measure(model, unseen)
    monkeypatch.setattr(StatsVAETransformer, "inverse_statistics", None)
    measurement = measure(model, unseen, decode=False)
    assert set(measurement.decoded) == set(expected.decoded)
    assert set(measurement.decoded.values()) == {None}
    assert measurement.reconstructed == expected.reconstructed


def test_structures_are_reconstructed_only_if_requested(model, unseen, monkeypatch):
    expected = measure(model, unseen)
    monkeypatch.setattr(StatsVAETransformer, "inverse_transform", None)
    measurement = measure(model, unseen, reconstruct=False)
    assert measurement.decoded == expected.decoded
    assert set(measurement.reconstructed.values()) == {None}
    assert (len(measurement.errors), measurement.volume_fraction_difference) == (0, None)


def test_the_way_to_structures_can_be_chosen(training, unseen, monkeypatch):
    texture = StatsVAETransformer(2, decoder="statistics").fit(training)
    ways = []

    def record(self, Z, random_state=None, realize="auto"):
        ways.append(realize)
        return np.zeros((len(Z), 8, 8), np.uint8)

    monkeypatch.setattr(StatsVAETransformer, "inverse_transform", record)
    X = unseen.data[:2].compute()
    round_trip(texture, X)
    round_trip(texture, X, realize="auto")
    assert ways == ["retrieval", "auto"]


def test_a_continuous_field_has_no_volume_fraction():
    X = np.random.default_rng(0).normal(size=(12, 6, 6))
    fields = Structures(X, Grid((6, 6), phases=1))
    model = StatsVAETransformer(2, decoder="dense", max_epochs=1, width=8, random_state=0).fit(X)
    measurement = measure(model, fields)
    assert measurement.volume_fraction_difference is None
    assert measurement.volume_fractions.shape[2] == 0
    check(measurement.reconstructed, model.statistics(X), model.statistics(model.inverse_transform(model.transform(X))))
    # 2-point statistics do not determine a field, so PCA reconstructs none.
    measurement = measure(TwoPointPCA(2).fit(X), fields)
    assert set(measurement.reconstructed.values()) == {None}
    assert measurement.volume_fraction_difference is None
    assert len(measurement.errors) == 0
    assert measurement.decoded["centred_error"] > 0


def test_empty_originals_are_counted(model, unseen):
    X = unseen.data.compute()
    X[:2] = 0
    assert measure(model, Structures(X, unseen.grid)).n_empty == 2


def test_more_correlations_make_smaller_blocks(training):
    pca = TwoPointPCA(1, phases=2).fit(training.data)
    size = block_size(pca)
    assert block_size(pca.set_params(periodic=False)) == size // 4
    pca.set_params(periodic=True, correlations=[(0, 0), (0, 1), (1, 1), (1, 0)])
    assert block_size(pca) == size // 4


def test_volume_fractions_of_every_phase():
    labels = np.array([[[0, 1], [2, 2]], [[1, 1], [1, 1]]])
    assert volume_fractions(labels, 3).tolist() == [[0.25, 0.5], [1.0, 0.0]]
