"""The integral range against the variance of means that it stands for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.data.datasets.grf import gaussian_field
from matvae.stats import two_point_stats
from matvae.stats.integral_range import Autocovariance, decorrelation_lags, estimate_autocovariance


def exponential(length: float, cutoff: int, ndim: int = 2) -> Autocovariance:
    lags = [torch.arange(-cutoff, cutoff + 1, dtype=torch.float64)] * ndim
    squares = sum(lag.square() for lag in torch.meshgrid(*lags, indexing="ij"))
    return Autocovariance(0.25 * torch.exp(-squares.sqrt() / length))


def test_the_integral_range_of_an_exponential_is_that_of_theory():
    """The integral of exp(-r / a) is 2 pi a^2 in 2-D."""
    assert exponential(5, 60).integral_range == pytest.approx(2 * np.pi * 25, rel=0.01)
    assert exponential(5, 60).variance == 0.25


def test_the_variance_of_a_mean_is_the_mean_covariance_of_all_pairs_of_voxels():
    C = exponential(2, 4)
    points = np.array(list(np.ndindex(5, 3)))
    lags = points[:, None] - points[None]
    values = np.where(np.abs(lags).max(-1) <= 4, 0.25 * np.exp(-np.linalg.norm(lags, axis=-1) / 2), 0)
    assert C.variance_of_mean((5, 3)) == pytest.approx(values.mean())
    assert C.variance_of_mean((1, 1)) == C.variance
    large = (4000, 4000)
    assert C.variance_of_mean(large) == pytest.approx(C.variance * C.integral_range / 4000**2, rel=1e-2)


@pytest.mark.parametrize("lengths", [(3.0, 3.0), (2.0, 6.0)])
def test_it_predicts_the_scatter_of_volume_fractions_of_a_random_field(lengths):
    """Level-cut Gaussian fields: 300 independent ones scatter as the autocovariance of twenty of them says."""
    rng = np.random.default_rng(0)
    fields = [gaussian_field(rng.standard_normal((64, 64)), lengths) for _ in range(300)]
    X = (np.stack(fields) > 0.3).astype(np.uint8)
    few = X[:20]
    f = two_point_stats(few, phases=2, cutoff=20).mean(axis=0, dtype=np.float64)[..., 0]
    C = estimate_autocovariance(torch.from_numpy(f), float(few.mean()), few.size, (3 * lengths[0], 3 * lengths[1]))
    assert X.mean(axis=(1, 2)).var() == pytest.approx(C.variance * C.integral_range / 64**2, rel=0.25)
    # A window within the fields, too small for the asymptotic formula.
    assert X[:, :8, :8].mean(axis=(1, 2)).var() == pytest.approx(C.variance_of_mean((8, 8)), rel=0.25)


def test_the_bias_of_a_finite_sample_is_corrected():
    """A sample's own mean makes every lag too low, all of them by the same."""
    true = exponential(2, 12)
    n_voxels = 2500
    shortfall = true.variance * true.integral_range / n_voxels
    mean = 0.5
    biased = true.values + mean**2 - shortfall
    estimate = estimate_autocovariance(biased, mean, n_voxels, (20, 20))
    torch.testing.assert_close(estimate.values, true.values, atol=1e-9, rtol=0)


def test_correlations_end_where_they_stay_small():
    lags = torch.arange(60, dtype=torch.float64)
    decaying = torch.exp(-((lags / 10) ** 2))
    found, decays = decorrelation_lags([decaying, decaying[::2]], 10**8)
    # exp(-3) is just below 0.05.
    assert found == (18, 9)
    assert decays == (True, True)
    _, decays = decorrelation_lags([decaying[:30]], 10**8)
    assert decays == (False,)
    # A wave that returns is a correlation, not noise.
    wave = torch.exp(-lags / 10) * torch.cos(lags)
    found, _ = decorrelation_lags([wave], 10**8)
    assert found[0] > 20


def test_noise_of_a_small_sample_is_not_taken_for_correlation():
    generator = torch.manual_seed(0)
    noise = 0.02 * torch.randn(200, generator=generator, dtype=torch.float64)
    profile = torch.exp(-torch.arange(200, dtype=torch.float64) / 2) + noise
    profile[0] = 1
    found, decays = decorrelation_lags([profile, profile], 2000)
    assert max(found) < 12
    assert all(decays)
