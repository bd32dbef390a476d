"""Geometric properties have their known values, and soft values agree with measured ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from matvae import Grid
from matvae.errors import InputError
from matvae.optimize.geometry import CorrelationLength, SpecificSurface, VolumeFraction
from matvae.optimize.property import Decoded

from ..structures import one_hot

GRID = Grid((32, 32), voxel_size=0.5, unit="micrometer")
X, Y = np.indices((32, 32))
PLATES = (X // 4 % 2).astype(np.uint8)[None]
ALL = [VolumeFraction(), SpecificSurface(), SpecificSurface(axis=0), CorrelationLength(), CorrelationLength(axis="x")]
BLOCKS = ((X // 8 + Y // 8) % 2).astype(np.uint8)[None]


@pytest.mark.parametrize("property", ALL)
@pytest.mark.parametrize("periodic", [True, False])
def test_soft_values_of_sharp_structures_equal_measured_values(property, periodic):
    grid = Grid((16, 15), voxel_size=(1.0, 0.5), periodic=periodic)
    labels = (np.random.default_rng(0).random((3, 16, 15)) < 0.3).astype(np.uint8)
    measured = property.measure(labels, grid)
    assert measured.reasons == (None,) * 3
    np.testing.assert_allclose(
        property.soft(torch.from_numpy(one_hot(labels, 2, axis=1)), grid).numpy(), measured.values, rtol=1e-5
    )


@pytest.mark.parametrize("property", ALL)
def test_gradient_agrees_with_finite_differences(property):
    grid = Grid((7, 6))
    fractions = torch.rand((2, 2, 7, 6), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    fractions = (fractions / fractions.sum(1, keepdim=True)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: property.soft(x, grid), fractions, eps=1e-7, atol=1e-5)


def test_volume_fraction_of_each_phase():
    labels = np.array([[[0, 1, 2, 2]]], np.uint8)
    grid = Grid((1, 4), phases=3)
    assert [VolumeFraction(phase).measure(labels, grid).values[0] for phase in range(3)] == [0.25, 0.25, 0.5]
    with pytest.raises(InputError, match="from 0 to 2"):
        VolumeFraction(3).measure(labels, grid)


def test_specific_surface_of_plates():
    # One interface every 4 voxels of 0.5 micrometres.
    assert SpecificSurface(isotropic=False).measure(PLATES, GRID).values[0] == pytest.approx(0.5)


def test_correlation_length_scales_with_features_and_voxel_size():
    (fine,) = CorrelationLength().measure(BLOCKS, GRID).values
    (coarse,) = CorrelationLength().measure(BLOCKS.repeat(2, 1)[:, :32], GRID).values
    assert 0 < fine < coarse
    assert CorrelationLength().measure(BLOCKS, Grid((32, 32))).values[0] == pytest.approx(2 * fine)


def test_correlation_length_of_a_telegraph_signal():
    # A signal that switches with probability p per voxel has the autocovariance (1 - 2 p)^r.
    switches = np.random.default_rng(0).random(400_000) < 0.05
    labels = (np.cumsum(switches) % 2).astype(np.uint8)[None]
    (length,) = CorrelationLength().measure(labels, Grid(labels.shape[1:], periodic=False)).values
    assert length == pytest.approx(-1 / np.log(0.9), rel=0.03)


def test_single_phase_structure_has_no_correlation_length():
    measured = CorrelationLength().measure(np.zeros((1, 32, 32), np.uint8), GRID)
    assert np.isnan(measured.values[0])
    assert "one phase" in measured.reasons[0]


def test_decoded_values_are_those_of_the_decoder_in_units_of_the_grid(texture_model):
    decoded = Decoded(torch.tensor([[0.0, 0.5]]), texture_model.module_)
    grid = texture_model.grid_
    fractions, areas = (decoded.descriptors[name] for name in ("volume_fraction", "surface_area"))
    assert VolumeFraction(0).from_latent(decoded, grid) == fractions[:, 0]
    assert SpecificSurface().from_latent(decoded, grid) == areas[:, 1]
    fine = replace(grid, voxel_size=(0.5, 0.5))
    assert SpecificSurface().from_latent(decoded, fine) == areas[:, 1] / 0.5
    # Areas along the axes cannot be told apart in the decoded one.
    assert SpecificSurface(isotropic=False).from_latent(decoded, grid) is None
    assert SpecificSurface().from_latent(decoded, replace(grid, voxel_size=(0.5, 1.0))) is None
    with pytest.raises(InputError, match="phase=2"):
        VolumeFraction(2).from_latent(decoded, grid)


def test_lengths_and_surfaces_along_an_axis_are_in_units():
    """Bands four voxels wide across y, with voxels of 2 x 0.5."""
    bands = np.tile(np.repeat(np.array([0, 1], np.uint8), 4)[:, None], (4, 32))[None]
    grid = Grid((32, 32), voxel_size=(2.0, 0.5))
    (length,) = CorrelationLength(axis="y").measure(bands, grid).values
    assert length == pytest.approx(2.0 * 2 * (1 - np.exp(-1)))
    assert np.isnan(CorrelationLength(axis=1).measure(bands, grid).values[0])
    assert SpecificSurface(isotropic=False, axis="y").measure(bands, grid).values[0] == pytest.approx(1 / 8)
    assert SpecificSurface(isotropic=False, axis="x").measure(bands, grid).values[0] == 0
