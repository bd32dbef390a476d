"""The search goes down, and what it says a latent has is what its thresholded structure has."""

from __future__ import annotations

import numpy as np
import torch

from matvae.optimize.geometry import SpecificSurface, VolumeFraction
from matvae.optimize.goal import between, maximize, reach
from matvae.optimize.gradient import GradientSearch
from matvae.optimize.measuring import Decoder
from matvae.optimize.region import Region
from matvae.optimize.task import Task


def search(model, goals, constraints=()):
    region = Region.of_prior(2)
    found = GradientSearch(Decoder(model), Task.of(goals, constraints), region)
    starts = region.draw(12, np.random.default_rng(0))
    return GradientSearch(found.decoder, found.task.scaled_by(found.sharp(starts)), region), starts


def test_a_start_ends_better_than_it_began(model):
    found, starts = search(model, [maximize("specific_surface")], [between("volume_fraction", 0.4, 0.5)])
    weights = torch.ones(12, 1)
    z, values, costs = found.run(starts, weights, 30)
    before = found.costs(found.sharp(starts), weights)
    assert (costs <= before).all()
    assert costs.mean() < before.mean()
    assert float(found.region.score(z).max()) <= 1
    made = model.inverse_transform(z.numpy())
    np.testing.assert_allclose(values[:, 0], VolumeFraction().measure(made, model.grid_).values)
    np.testing.assert_allclose(values[:, 1], SpecificSurface().measure(made, model.grid_).values)


def test_parts_change_nothing(model, monkeypatch):
    found, starts = search(model, [reach("volume_fraction", 0.45)])
    whole = found.run(starts, torch.ones(12, 1), 10)
    monkeypatch.setattr("matvae.optimize.measuring.PART_VALUES", 5 * 2 * 144)
    parts = found.run(starts, torch.ones(12, 1), 10)
    torch.testing.assert_close(whole[0], parts[0], rtol=1e-3, atol=1e-3)


def test_the_weights_of_the_model_get_no_gradient(model):
    found, starts = search(model, [reach("volume_fraction", 0.45)])
    for parameter in model.module_.parameters():
        parameter.grad = None
    found.run(starts, torch.ones(12, 1), 3)
    assert all(parameter.grad is None for parameter in model.module_.parameters())
