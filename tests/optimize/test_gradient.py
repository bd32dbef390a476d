"""The search lowers the cost, and reports the values of thresholded structures."""

from __future__ import annotations

import numpy as np
import torch

from matvae.optimize.geometry import SpecificSurface, VolumeFraction
from matvae.optimize.goal import between, maximize, reach
from matvae.optimize.gradient import GradientSearch
from matvae.optimize.measuring import LatentDecoder
from matvae.optimize.region import Region
from matvae.optimize.task import Task


def make_search(model, goals, constraints=()):
    region = Region.of_prior(2)
    decoder, task = LatentDecoder(model), Task.of(goals, constraints)
    starts = region.draw(12, np.random.default_rng(0))
    values = GradientSearch(decoder, task, region).thresholded(starts)
    return GradientSearch(decoder, task.scaled_by(values), region), starts


def test_no_start_gets_worse(model):
    search, starts = make_search(model, [maximize("specific_surface")], [between("volume_fraction", 0.4, 0.5)])
    weights = torch.ones(12, 1)
    z, values, costs = search.run(starts, weights, 30)
    initial_costs = search.costs(search.thresholded(starts), weights)
    assert (costs <= initial_costs).all()
    assert costs.mean() < initial_costs.mean()
    assert float(search.region.score(z).max()) <= 1
    structures = model.inverse_transform(z.numpy())
    np.testing.assert_allclose(values[:, 0], VolumeFraction().measure(structures, model.grid_).values)
    np.testing.assert_allclose(values[:, 1], SpecificSurface().measure(structures, model.grid_).values)


def test_blocks_do_not_change_the_result(model, monkeypatch):
    search, starts = make_search(model, [reach("volume_fraction", 0.45)])
    whole = search.run(starts, torch.ones(12, 1), 10)
    monkeypatch.setattr("matvae.optimize.measuring.BLOCK_VALUES", 5 * 2 * 144)
    blocks = search.run(starts, torch.ones(12, 1), 10)
    torch.testing.assert_close(whole[0], blocks[0], rtol=1e-3, atol=1e-3)


def test_model_weights_receive_no_gradient(model):
    search, starts = make_search(model, [reach("volume_fraction", 0.45)])
    for parameter in model.module_.parameters():
        parameter.grad = None
    search.run(starts, torch.ones(12, 1), 3)
    assert all(parameter.grad is None for parameter in model.module_.parameters())
