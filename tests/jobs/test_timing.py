"""Times of whole jobs from parts of them: by a simulated clock, and with what is fitted in the meantime."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from matvae import StatsVAETransformer, TwoPointPCA, open_structures
from matvae.forecast import Forecast, announce, listening
from matvae.jobs import timing
from matvae.jobs.timing import begin_fit, seconds_for_all


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on only when told."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(timing, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.mark.parametrize(("n", "each", "most"), [(3, 0.01, 3), (1000, 0.001, 1000), (100_000, 0.01, 128), (50, 9.0, 8)])
def test_the_time_of_all_follows_from_the_first_ones(clock, n, each, most):
    asked = []

    def work(some):
        # Libraries are loaded once.
        clock.now += some * each + (0 if asked else 70.0)
        asked.append(some)

    assert seconds_for_all(work, n) == pytest.approx(n * each)
    assert max(asked) == most


@pytest.fixture
def training(lined):
    return open_structures(lined / "train.zarr")


def test_networks_are_prepared_but_not_trained(training):
    heard = []
    estimator = StatsVAETransformer(2, decoder="dense", width=16, max_epochs=400, patience=None, random_state=0)
    with listening(heard.append):
        fitted, seconds = begin_fit(estimator, training)
    # Only the job as a whole is announced to others.
    assert heard == []
    assert (fitted.history_, hasattr(estimator, "module_")) == ([], False)
    assert fitted.transform(training.data[:3].compute()).shape == (3, 2)
    trained = StatsVAETransformer(2, decoder="dense", width=16, max_epochs=1, random_state=0).fit(training)
    weights, started = (each.module_.state_dict()["decoder.layers.0.weight"] for each in (trained, fitted))
    assert not torch.equal(weights, started)
    assert seconds > 0.1


def test_the_time_of_a_training_counts_for_all_structures_within_its_limit(training, clock, monkeypatch):
    monkeypatch.setattr(timing, "FIT_VOXELS", 20 * 16 * 16)
    seen = []

    def fit(self, X):
        seen.append(len(X))
        clock.now += 5.0
        assert announce(Forecast(100.0, "passes", measured_seconds=3.0))
        return self

    monkeypatch.setattr(StatsVAETransformer, "fit", fit)
    # A third of 60 structures: 3 * (2 s of preparation and 100 s of training).
    assert begin_fit(StatsVAETransformer(2), training)[1] == pytest.approx(306.0)
    assert begin_fit(StatsVAETransformer(2, max_time=50.0), training)[1] == 50.0
    assert seen == [20, 20]


def test_pca_is_fitted_to_a_part(training, clock, monkeypatch):
    fit = TwoPointPCA.fit

    def slow_fit(self, X, y=None):
        clock.now += len(X)
        return fit(self, X)

    monkeypatch.setattr(TwoPointPCA, "fit", slow_fit)
    monkeypatch.setattr(timing, "FIT_VOXELS", 20 * 16 * 16)
    fitted, seconds = begin_fit(TwoPointPCA(2, periodic=True), training)
    assert seconds == pytest.approx(60.0)
    expected = TwoPointPCA(2, periodic=True).fit(training[:20].data)
    np.testing.assert_allclose(fitted.mean_, expected.mean_)
    # There are no fewer structures than components need.
    monkeypatch.setattr(timing, "FIT_VOXELS", 1)
    assert begin_fit(TwoPointPCA(4, periodic=True), training)[0].components_.shape[0] == 4
