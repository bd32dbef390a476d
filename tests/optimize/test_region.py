"""Projection moves exactly those latents that lie outside a region."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.optimize.region import Region

RNG = np.random.default_rng(0)
DATA = RNG.normal(size=(200, 3)) * [1.0, 10.0, 0.1] + [0.0, 50.0, 1.0]


@pytest.mark.parametrize("region", [Region.of_prior(3), Region.of_data(DATA, 3)], ids=["prior", "data"])
def test_projection_moves_only_latents_outside(region):
    z = torch.from_numpy(RNG.normal(size=(500, 3)).astype(np.float32) * 3) * region.scale + region.points.mean(0)
    inside = region.score(z) <= 0.999
    assert 0 < inside.sum() < 500
    moved = region.project(z)
    assert float(region.score(moved).max()) <= 1.0
    torch.testing.assert_close(moved[inside], z[inside])
    assert float(region.score(region.draw(300, np.random.default_rng(1))).max()) <= 1.0


def test_prior_region_covers_95_percent():
    z = torch.from_numpy(RNG.standard_normal((20_000, 3)).astype(np.float32))
    assert float((Region.of_prior(3).score(z) <= 1).float().mean()) == pytest.approx(0.95, abs=0.01)


def test_data_region_does_not_depend_on_the_scale_of_a_component():
    factors = np.array([1.0, 1000.0, 1.0])
    original, scaled = Region.of_data(DATA, 3), Region.of_data(DATA * factors, 3)
    z = torch.from_numpy(DATA[:5].astype(np.float32)) + 0.3
    torch.testing.assert_close(original.score(z), scaled.score(z * torch.tensor(factors).float()), rtol=1e-2, atol=1e-3)


def test_invalid_training_latents_are_refused():
    for latents in (DATA[:, :2], DATA[:9], np.where(DATA > 60, np.nan, DATA)):
        with pytest.raises(InputError, match="training latents"):
            Region.of_data(latents, 3)


@pytest.mark.usefixtures("read_only_warnings_are_errors")
def test_read_only_latents_are_copied():
    latents = DATA.astype(np.float32)
    latents.flags.writeable = False
    region = Region.of_data(latents, 3)
    torch.testing.assert_close(region.points, torch.tensor(latents))
