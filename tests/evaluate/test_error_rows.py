"""Errors of a model of statistics and of PCA, decoded and realized, beside the floor."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, Structures
from matvae.errors import InputError
from matvae.evaluate.error_rows import ErrorTable, fit_pcas, training_mean
from matvae.evaluate.lag_table import LagErrors, another_window
from matvae.evaluate.measure import Kept, measure


def windows(n, seed):
    """Structures of smooth noise on 16 x 16 voxels, each with its own volume fraction."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n, 16, 16))
    smooth = sum(np.roll(noise, shift, (1, 2)) for shift in np.ndindex(3, 3))
    return Structures((smooth > rng.uniform(-2, 2, (n, 1, 1))).astype(np.uint8), Grid((16, 16)))


@pytest.fixture(scope="module")
def training():
    """40 windows."""
    return windows(40, 0)


@pytest.fixture(scope="module")
def unseen():
    """20 windows that are not part of `training`."""
    return windows(20, 1)


@pytest.fixture(scope="module")
def texture(training):
    """A model that decodes statistics, in the plain metric and linear for want of windows."""
    return StatsVAETransformer(2, decoder="statistics", metric="plain", random_state=0).fit(training)


@pytest.fixture(scope="module")
def table(texture, training, unseen):
    """Rows, the realizations by the default method, and the structures that these stand for."""
    collected, steps = ErrorTable(texture, fit_pcas(texture, training, 2)), []
    measurement = measure(texture, unseen, *collected.observers, reconstruct=False)
    X = unseen.data[:4].compute()
    rows, realizations = collected.rows(measurement, X, step=lambda: steps.append(1))
    assert len(steps) == collected.n_steps == 4
    return rows, realizations, X


def test_every_method_is_decoded_and_realized(table):
    rows = table[0]
    assert [(row.name, row.realize, row.decoded is None, row.realized is None) for row in rows] == [
        ("training mean", None, False, True),
        ("PCA (2), plain metric", "retrieval", False, False),
        ("PCA (2), lag metric", "retrieval", False, False),
        ("matvae (2), plain metric", "retrieval", False, False),
        ("matvae (2), plain metric", "examples", False, False),
        ("another true window", None, True, False),
    ]


def test_a_linear_model_in_the_plain_metric_is_pca(table):
    _, plain, lags, model, *_ = table[0]
    assert model.decoded["all"]["centred"] == pytest.approx(plain.decoded["all"]["centred"], rel=0.02)
    # Each metric is better where it counts.
    shortest = list(plain.decoded)[1]
    assert plain.decoded["all"]["centred"] <= lags.decoded["all"]["centred"]
    assert lags.decoded[shortest]["centred"] <= plain.decoded[shortest]["centred"]


def test_realizations_and_the_floor_are_those_of_whole_arrays(table, texture):
    rows, realizations, X = table
    mean = training_mean(texture)
    np.testing.assert_array_equal(realizations, texture.inverse_transform(texture.transform(X), random_state=0))
    f = texture.statistics(X)
    expected = LagErrors(mean)
    expected.add(f, texture.statistics(realizations))
    assert rows[4].realized["all"]["centred"] == pytest.approx(expected.summary()["all"]["centred"], rel=1e-3)
    floor = another_window(f, mean)["all"]["centred"]
    assert rows[5].realized["all"]["centred"] == pytest.approx(floor, rel=1e-3)


def test_structures_that_were_measured_are_not_realized_again(texture, unseen, monkeypatch):
    collected, keep = ErrorTable(texture, []), Kept(np.arange(4))
    measurement = measure(texture, unseen[:4], keep, *collected.observers)
    done = []
    inverse = texture.inverse_transform
    monkeypatch.setattr(texture, "inverse_transform", lambda *a, **k: done.append(k["realize"]) or inverse(*a, **k))
    rows, _ = collected.rows(measurement, keep.trip.structures, measured=keep.trip)
    assert done == ["examples"]
    expected, _ = collected.rows(measurement, keep.trip.structures)
    assert done == ["examples", "retrieval", "examples"]
    # Samples are numbered alike, so that they are the same structures.
    assert [row.to_dict() for row in rows] == [row.to_dict() for row in expected]


def test_errors_of_structures_of_pca_are_kept_by_metric(table, texture, training, unseen):
    X = table[2]
    collected = ErrorTable(texture, fit_pcas(texture, training, 2)[:1])
    collected.rows(measure(texture, unseen, *collected.observers, reconstruct=False), X)
    own = measure(collected.pcas[0], unseen[:4], decode=False).reconstructed
    assert collected.structures_of_pca == {"plain": pytest.approx(own)}


def test_a_model_knows_its_training_mean(texture, training):
    np.testing.assert_allclose(training_mean(texture), texture.statistics(training.data.compute()).mean(0), atol=1e-5)


def test_without_realizations_the_floor_is_measured_all_the_same(texture, unseen):
    collected = ErrorTable(texture, [])
    measurement = measure(texture, unseen, *collected.observers, reconstruct=False)
    rows, realizations = collected.rows(measurement, unseen.data[:4].compute(), realize=False)
    assert realizations is None
    assert [row.name for row in rows] == ["training mean", "matvae (2), plain metric", "another true window"]
    assert rows[1].realized is None
    assert rows[2].realized["all"]["centred"] > 0


def test_pca_that_allows_no_structures_is_reported(texture, training, unseen, monkeypatch, caplog):
    def refuse(*args, **kwargs):
        raise InputError("no volume fractions")

    pcas = fit_pcas(texture, training, 2)
    for pca in pcas:
        monkeypatch.setattr(pca, "inverse_transform", refuse, raising=False)
    collected = ErrorTable(texture, pcas)
    measurement = measure(texture, unseen, *collected.observers, reconstruct=False)
    with caplog.at_level(logging.WARNING, logger="matvae"):
        rows, _ = collected.rows(measurement, unseen.data[:3].compute())
    assert rows[1].realized is rows[1].realize is None
    assert "No structures could be realized from PC scores: no volume fractions" in caplog.text
