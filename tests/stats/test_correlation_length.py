from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats import correlation_length, two_point_stats
from matvae.stats.correlation_length import autocovariance_profile, decay_length

from .samples import labels_of


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("space", [(12,), (8, 11), (5, 6, 7)])
def test_profiles_along_an_axis_are_those_of_the_2_point_statistics(space, periodic):
    """Transforms of single lines equal slices of the transform of the whole."""
    labels = labels_of(space)
    field = torch.from_numpy((labels == 1).astype(np.float32))
    f = two_point_stats(labels, spatial_dims=len(space), phases=3, correlations=[(1, 1)], periodic=periodic)[..., 0]
    zero = tuple(n // 2 for n in f.shape[1:])
    means = (labels == 1).reshape(len(labels), -1).mean(axis=1)
    for axis, n in enumerate(space):
        values, radii = autocovariance_profile(field, axis, periodic=periodic, voxel_size=(0.5,) * len(space))
        np.testing.assert_allclose(radii, 0.5 * np.arange(n // 2 + 1))
        for lag in range(n // 2 + 1):
            # The lag N/2 of a periodic axis is stored as -N/2.
            index = [*zero]
            index[axis] = (zero[axis] + lag) % f.shape[1 + axis]
            np.testing.assert_allclose(values[:, lag], f[(slice(None), *index)] - means**2, atol=1e-6)


def test_the_length_of_an_exponential_is_its_decay_length():
    radii = torch.arange(200, dtype=torch.float64) / 10
    lengths, decays = decay_length(torch.exp(-radii / 3)[None], radii)
    assert bool(decays)
    assert float(lengths) == pytest.approx(3, abs=1e-3)


def test_an_axis_with_larger_voxels_has_a_longer_length():
    """Squares of 6 x 6 voxels, each a tile of a random checkerboard: the autocovariance falls linearly to zero at 6."""
    tiles = np.random.default_rng(0).random((1, 100, 100)) < 0.5
    labels = np.kron(tiles, np.ones((1, 6, 6), bool)).astype(np.uint8)
    along_y, along_x = (
        correlation_length(labels, axis=axis, voxel_size=(2.0, 0.5))[0, 1] / size for axis, size in ((0, 2.0), (1, 0.5))
    )
    assert along_y == pytest.approx(6 * (1 - np.exp(-1)), rel=0.05)
    assert along_x == pytest.approx(6 * (1 - np.exp(-1)), rel=0.05)


def test_columns_have_no_length_along_their_axis():
    columns = np.tile(np.repeat([0, 1, 1, 0, 1, 0, 0, 1], 4), (32, 1))[None]
    lengths = correlation_length(columns, axis=0)
    assert np.isnan(lengths).all()
    assert np.isfinite(correlation_length(columns, axis=1)).all()
    assert np.isnan(correlation_length(np.zeros((1, 8, 8), int), axis=1)).all()


def test_unknown_axes_are_refused():
    with pytest.raises(InputError, match="axis must be a spatial axis, 0 to 1"):
        correlation_length(labels_of((8, 8)), axis=2)
