from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.reconstruction.contradictions import check_centre, power_agrees
from matvae.reconstruction.target import read_target
from matvae.stats import two_point_stats
from matvae.stats.correlate import pair_counts

from ..structures import blobs
from .structures import CPU, fractions


def weights(shape, periodic=True):
    return pair_counts(shape, periodic=periodic).float()


@pytest.mark.parametrize("shape", [(16,), (15,), (12, 9), (6, 8, 7)])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("phases", [2, 4])
def test_statistics_of_structures_are_free_of_contradictions(shape, periodic, phases):
    labels = blobs(3, shape, phases)
    pairs = tuple((i, j) for i in range(phases) for j in range(phases))
    options = {"spatial_dims": len(shape), "phases": phases, "periodic": periodic, "correlations": pairs}
    f = torch.from_numpy(two_point_stats(labels, **options)).float()
    check_centre(f, weights(shape, periodic), pairs)
    counts = torch.from_numpy(fractions(labels, phases))
    assert power_agrees(f, weights(shape, periodic), pairs, counts).all()


def test_negative_power_is_detected():
    """Move power from one frequency to another, which keeps the volume fraction and the mean over all lags."""
    f = two_point_stats(blobs(1, (16,)), spatial_dims=1)[0, :, 0].astype(np.float64)
    power = np.fft.fft(np.fft.ifftshift(f)).real
    step = 2 * power[3] + 0.1
    power[[3, -3]] -= step
    power[[5, -5]] += step
    unrealizable = np.fft.fftshift(np.fft.ifft(power).real)
    assert unrealizable[8] == pytest.approx(f[8])
    assert unrealizable.mean() == pytest.approx(f.mean())
    both = np.stack([f, unrealizable])[..., None]
    assert read_target(both, Grid((16,)), None, CPU)[1].tolist() == [True, False]


def test_power_at_zero_frequency_must_be_the_squared_volume_fraction():
    labels = blobs(2, (12, 12))
    f = two_point_stats(labels)
    shifted = f + 0.02 * (f < f.max())
    grid = Grid((12, 12))
    assert read_target(f, grid, None, CPU)[1].all()
    assert not read_target(shifted, grid, None, CPU)[1].any()


def test_lags_within_a_cutoff_are_not_checked_for_power():
    f = two_point_stats(blobs(1, (12, 12)), cutoff=3)
    f[:, 0, 0] = f[:, -1, -1] = 0.0
    assert read_target(f, Grid((12, 12)), None, CPU)[1].all()


@pytest.mark.parametrize("shape", [(16, 16), (15, 16), (15, 15)])
def test_statistics_that_were_not_shifted_are_refused(shape):
    f = two_point_stats(blobs(2, shape))
    unshifted = np.fft.ifftshift(f, axes=(1, 2))
    centre = tuple(n // 2 for n in shape)
    with pytest.raises(InputError, match=r"zero lag|Zero lag") as error:
        read_target(unshifted, Grid(shape), None, CPU)
    assert str(centre) in str(error.value)
    assert "numpy.fft.fftshift" in str(error.value)


def test_statistics_shifted_by_one_voxel_are_refused():
    f = two_point_stats(blobs(2, (17, 17)))
    with pytest.raises(InputError, match=r"f\(-r\) = f\(r\)"):
        read_target(np.roll(f, 1, axis=2), Grid((17, 17)), None, CPU)


def test_a_cross_correlation_in_place_of_an_autocorrelation_is_refused():
    labels = blobs(1, (15, 15), 3)
    labels[0, :, :4] = 0
    labels[0, :, 2] = 1
    labels[0, :, 3] = 2
    f = two_point_stats(labels, phases=3, correlations=[(1, 2), (1, 1), (2, 2)])
    with pytest.raises(InputError, match="name the pairs with correlations"):
        read_target(f, Grid((15, 15), phases=3), None, CPU)


def test_unrealizable_statistics_with_a_centre_are_accepted():
    """Symmetric statistics that are smallest at zero lag, as after too large a step along a component."""
    f = np.full((1, 9, 9, 1), 0.3)
    f[0, 4, 4] = 0.2
    f[0, 4, [3, 5]] = 0.31
    _, realizable = read_target(f, Grid((9, 9)), None, CPU)
    assert not realizable.any()
