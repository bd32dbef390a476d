"""Sampling noise of statistics: exact sums over blocks, and the scatter of windows of known materials."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.model.sampling_noise import block_deviations, noise_covariance
from matvae.stats import correlate

from ..structures import blobs


def indicator(labels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(labels).double().unsqueeze(1)


@pytest.mark.parametrize("periodic", [True, False])
def test_deviations_of_all_blocks_cancel(periodic: bool) -> None:
    fields = torch.cat([indicator(blobs(3, (12, 10))), indicator(blobs(3, (12, 10), seed=1))], dim=1)
    deviations = block_deviations(fields, ((0, 0), (0, 1)), periodic=periodic, cutoff=4)
    assert deviations.shape == (4, 3, 9, 9, 2)
    torch.testing.assert_close(deviations.sum(0), torch.zeros_like(deviations[0]), atol=1e-12, rtol=0)


def test_deviation_of_a_block_is_the_sum_over_its_voxel_pairs() -> None:
    field = indicator(blobs(1, (6, 6)))
    deviations = block_deviations(field, ((0, 0),), periodic=False, cutoff=2)
    f = correlate(field, ((0, 0),), periodic=False, cutoff=2)
    m, lag = field[0, 0], (1, -2)
    products = [
        m[y, x] * m[y + lag[0], x + lag[1]] - f[0, 2 + lag[0], 2 + lag[1], 0]
        for y in range(3)
        for x in range(3)
        if 0 <= y + lag[0] < 6 and 0 <= x + lag[1] < 6
    ]
    n_pairs = (6 - 1) * (6 - 2)
    torch.testing.assert_close(deviations[0, 0, 2 + lag[0], 2 + lag[1], 0], sum(products) / n_pairs)


def test_variance_of_the_volume_fraction_is_that_of_independent_voxels() -> None:
    labels = (np.random.default_rng(0).random((500, 16, 16)) < 0.3).astype(np.uint8)
    fields = indicator(labels)
    zero = block_deviations(fields, ((0, 0),), periodic=True, cutoff=0).flatten(2)
    assert noise_covariance(zero).item() == pytest.approx(0.3 * 0.7 / 256, rel=0.1)


def test_variance_matches_the_scatter_of_independent_windows() -> None:
    windows = blobs(1, (1024, 1024), width=1.5)[0].reshape(32, 32, 32, 32).swapaxes(1, 2).reshape(-1, 32, 32)
    fields = indicator(windows)
    f = correlate(fields, ((0, 0),), periodic=False, cutoff=4).flatten(1)
    noise = noise_covariance(block_deviations(fields, ((0, 0),), periodic=False, cutoff=4).flatten(2))
    measured = f.var(0)
    assert 0.7 < float(noise.diagonal().sum() / measured.sum()) < 1.2
