"""Searches begin with the best training windows, and correct predictions by what realizations show."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.optimize import maximize, reach
from matvae.optimize.gradient import GradientSearch
from matvae.optimize.measuring import LatentDecoder
from matvae.optimize.predicted import TextureDecoder
from matvae.optimize.region import Region
from matvae.optimize.search import Effort, search_by_gradient, search_by_prediction
from matvae.optimize.task import Task
from matvae.optimize.windows import TrainingWindows

EFFORT = Effort(n_candidates=2, n_realizations=2, n_starts=4, max_iter=10, n_evaluations=10)


class Biased(TextureDecoder):
    """Predictions are 0.1 too low."""

    def soft_values(self, properties, z):
        return super().soft_values(properties, z) - 0.1


def test_predictions_are_corrected_by_realizations(texture_model):
    task = Task.of([reach("volume_fraction", 0.5)], [])
    windows = TrainingWindows.of(texture_model).measured(task, texture_model.grid_, 10)
    region = Region.of_data(windows.latents, 2)
    calls = []
    outcome = search_by_prediction(
        GradientSearch(Biased(texture_model), task, region),
        EFFORT,
        windows,
        np.random.default_rng(0),
        lambda *call: calls.append(call),
    )
    fractions = TextureDecoder(texture_model).realizations(outcome.latents, 2, 1).mean((1, 2, 3))
    np.testing.assert_allclose(fractions, 0.5, atol=0.02)
    assert outcome.method == "prediction"
    assert calls == [(1, 2), (2, 2)]
    # All windows, and two candidates in two rounds.
    assert len(outcome.values) == len(windows) + 4


def test_search_begins_with_the_best_windows(model, training, monkeypatch):
    task = Task.of([maximize("specific_surface")], [])
    windows = TrainingWindows.of(model, training).measured(task, model.grid_, 10)
    screened = []

    def remember(self, z):
        screened.append(z)
        raise StopIteration

    monkeypatch.setattr(LatentDecoder, "structures", remember)
    search = GradientSearch(LatentDecoder(model), task, Region.of_data(windows.latents, 2))
    with pytest.raises(StopIteration):
        search_by_gradient(search, EFFORT, windows, np.random.default_rng(0), None)
    order = np.argsort(-windows.values[:, 0], kind="stable")
    assert torch.equal(screened[0][:4], torch.from_numpy(windows.latents[order[:4]]))
