"""Geometric properties have their known values, and soft ones agree with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae import Grid
from matvae.errors import InputError
from matvae.optimize.geometry import CorrelationLength, SpecificSurface, VolumeFraction

from ..structures import one_hot

GRID = Grid((32, 32), voxel_size=0.5, unit="micrometer")
X, Y = np.indices((32, 32))
PLATES = (X // 4 % 2).astype(np.uint8)[None]
BLOCKS = ((X // 8 + Y // 8) % 2).astype(np.uint8)[None]


@pytest.mark.parametrize("wanted", [VolumeFraction(), SpecificSurface(), CorrelationLength()])
@pytest.mark.parametrize("periodic", [True, False])
def test_soft_values_of_sharp_structures_are_the_measured_ones(wanted, periodic):
    grid = Grid((16, 15), voxel_size=(1.0, 0.5), periodic=periodic)
    labels = (np.random.default_rng(0).random((3, 16, 15)) < 0.3).astype(np.uint8)
    measured = wanted.measure(labels, grid)
    assert measured.reasons == (None,) * 3
    np.testing.assert_allclose(
        wanted.soft(torch.from_numpy(one_hot(labels, 2, axis=1)), grid).numpy(), measured.values, rtol=1e-5
    )


@pytest.mark.parametrize("wanted", [VolumeFraction(), SpecificSurface(), CorrelationLength()])
def test_soft_values_have_the_gradient_of_finite_differences(wanted):
    grid = Grid((7, 6))
    fractions = torch.rand((2, 2, 7, 6), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    fractions = (fractions / fractions.sum(1, keepdim=True)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: wanted.soft(x, grid), fractions, eps=1e-7, atol=1e-5)


def test_volume_fraction_of_each_phase():
    labels = np.array([[[0, 1, 2, 2]]], np.uint8)
    grid = Grid((1, 4), phases=3)
    assert [VolumeFraction(phase).measure(labels, grid).values[0] for phase in range(3)] == [0.25, 0.25, 0.5]
    with pytest.raises(InputError, match="from 0 to 2"):
        VolumeFraction(3).measure(labels, grid)


def test_plates_have_the_surface_of_their_faces():
    # One face every 4 voxels of 0.5 micrometer.
    assert SpecificSurface(isotropic=False).measure(PLATES, GRID).values[0] == pytest.approx(0.5)


def test_correlation_length_grows_with_the_structure_and_its_voxels():
    (fine,), (coarse,) = (
        CorrelationLength().measure(one, GRID).values for one in (BLOCKS, BLOCKS.repeat(2, 1)[:, :32])
    )
    assert 0 < fine < coarse
    assert CorrelationLength().measure(BLOCKS, Grid((32, 32))).values[0] == pytest.approx(2 * fine)


def test_correlation_length_of_a_telegraph_signal_is_its_own():
    # A signal that jumps with probability p a voxel has the autocovariance (1 - 2 p)^r.
    jumps = np.random.default_rng(0).random(400_000) < 0.05
    labels = (np.cumsum(jumps) % 2).astype(np.uint8)[None]
    found = CorrelationLength().measure(labels, Grid(labels.shape[1:], periodic=False)).values[0]
    assert found == pytest.approx(-1 / np.log(0.9), rel=0.03)


def test_a_structure_of_one_phase_has_no_correlation_length():
    found = CorrelationLength().measure(np.zeros((1, 32, 32), np.uint8), GRID)
    assert np.isnan(found.values[0])
    assert "one phase" in found.reasons[0]
