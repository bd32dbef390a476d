from __future__ import annotations

import itertools
import math

import dask.array as da
import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats import block_size, lag_radii, lag_shape, pair_correlation, radial, radial_average, two_point_stats

from .samples import SHAPES, labels_of


def slow_average(f: np.ndarray, size: tuple[float, ...]) -> dict[float, np.ndarray]:
    """Average lags of equal length, one lag after another."""
    values_at: dict[float, list[np.ndarray]] = {}
    for index in itertools.product(*(range(n) for n in f.shape[1:-1])):
        steps = [(i - n // 2) * edge for i, n, edge in zip(index, f.shape[1:-1], size, strict=True)]
        values_at.setdefault(round(math.hypot(*steps), 9), []).append(f[(slice(None), *index)])
    return {length: np.mean(values, axis=0) for length, values in sorted(values_at.items())}


@pytest.mark.parametrize("space", SHAPES)
@pytest.mark.parametrize("size", [None, (0.3, 0.7, 1.1)])
def test_lags_of_equal_length_are_averaged(space, size):
    f = np.random.default_rng(0).random((3, *space, 2))
    edges = None if size is None else size[: len(space)]
    expected = slow_average(f, edges or (1.0,) * len(space))
    np.testing.assert_allclose(lag_radii(space, voxel_size=edges), list(expected), atol=1e-9)
    averaged = radial_average(f, voxel_size=edges)
    np.testing.assert_allclose(averaged, np.stack(list(expected.values()), axis=1), atol=1e-12)


def test_radii_of_a_square_are_roots_of_sums_of_squares():
    np.testing.assert_array_equal(lag_radii((5, 5)), np.sqrt([0, 1, 2, 4, 5, 8]))
    np.testing.assert_array_equal(lag_radii((4, 4), voxel_size=2), 2 * np.sqrt([0, 1, 2, 4, 5, 8]))


def test_radii_beyond_the_maximum_are_ignored():
    f = np.random.default_rng(0).random((3, 7, 7, 1))
    near = radial_average(f, max_radius=2)
    np.testing.assert_array_equal(lag_radii((7, 7), max_radius=2), [0, 1, math.sqrt(2), 2])
    np.testing.assert_array_equal(near, radial_average(f)[:, :4])
    for radius in (-1, "far"):
        with pytest.raises(InputError, match="max_radius must be a non-negative length"):
            radial_average(f, max_radius=radius)


@pytest.mark.parametrize("max_radius", [None, 2.5])
@pytest.mark.parametrize("bins", [3, (0, 0.5, 1.7, 3), (1, 2, 3)])
def test_averages_in_bins_equal_those_of_a_histogram(bins, max_radius):
    f = np.random.default_rng(0).random((2, 7, 6, 2))
    axes = [np.arange(n) - n // 2 for n in (7, 6)]
    lengths = np.hypot(*np.meshgrid(*axes, indexing="ij"))
    kept = lengths <= (max_radius or math.inf)
    edges = np.histogram_bin_edges(lengths[kept], bins, (0, lengths[kept].max())) if bins == 3 else bins
    counts = np.histogram(lengths[kept], edges)[0]
    expected = [np.histogram(lengths[kept], edges, weights=f[0, ..., k][kept])[0] / counts for k in range(2)]
    averaged = radial_average(f, bins=bins, max_radius=max_radius)
    np.testing.assert_allclose(averaged[0], np.transpose(expected), atol=1e-12)
    radii = np.histogram(lengths[kept], edges, weights=lengths[kept])[0] / counts
    np.testing.assert_allclose(lag_radii((7, 6), bins=bins, max_radius=max_radius), radii, atol=1e-12)


@pytest.mark.parametrize(
    ("bins", "message"),
    [(40, "none between"), (0, "ascending order"), ((2, 1), "ascending order"), ("many", "ascending order")],
)
def test_bins_without_lags_are_refused(bins, message):
    with pytest.raises(InputError, match=message):
        lag_radii((7, 7), bins=bins)


@pytest.mark.parametrize("voxels", [1, 100, 1 << 18])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpy_dask_and_torch_agree(voxels, dtype):
    f = np.random.default_rng(0).random((5, 7, 6, 2)).astype(dtype)
    with block_size(voxels):
        expected = radial_average(f)
        lazy = radial_average(da.from_array(f, chunks=(3, 7, 6, 2)))
        tensor = radial_average(torch.from_numpy(f))
    assert isinstance(lazy, da.Array)
    assert lazy.shape == expected.shape
    assert lazy.dtype == expected.dtype == dtype
    np.testing.assert_array_equal(lazy.compute(), expected)
    np.testing.assert_array_equal(tensor.numpy(), expected)


@pytest.mark.parametrize("space", [(33,), (32, 33), (12, 11, 13)])
def test_the_pair_correlation_of_independent_voxels_is_the_square_of_the_volume_fraction(space):
    labels = (np.random.default_rng(0).random((40, *space)) < 0.4).astype(np.uint8)
    mean = pair_correlation(labels, spatial_dims=len(space)).mean(0)[:, 0]
    assert mean[0] == pytest.approx(0.4, abs=0.02)
    np.testing.assert_allclose(mean[1:6], 0.16, atol=0.02)


def test_the_pair_correlation_of_a_disc_is_the_overlap_of_two_discs():
    """Torquato, Random Heterogeneous Materials (2002), section 2.3: S2 of one disc is its overlap with itself."""
    n, radius = 128, 24
    y, x = np.indices((n, n)) - n // 2
    disc = (np.hypot(x, y) <= radius).astype(np.uint8)[None]
    r = lag_radii((n, n), bins=60)
    half = np.minimum(r / 2 / radius, 1)
    overlap = 2 * radius**2 * (np.arccos(half) - half * np.sqrt(1 - half**2)) / n**2
    np.testing.assert_allclose(pair_correlation(disc, bins=60)[0, :, 0], overlap, atol=0.01 * overlap[0])


def test_pair_correlation_is_the_average_of_the_statistics():
    labels = labels_of((6, 5))
    window = {"phases": 3, "correlations": [(0, 1), (2, 2)], "periodic": False, "cutoff": 3}
    mask = np.random.default_rng(0).uniform(0.5, 1, (6, 5))
    expected = radial_average(two_point_stats(labels, mask=mask, **window), bins=3, voxel_size=0.5)
    g = pair_correlation(labels, mask=mask, bins=3, voxel_size=0.5, **window)
    np.testing.assert_array_equal(g, expected)
    assert g.shape[1] == len(lag_radii(lag_shape((6, 5), False, 3), bins=3, voxel_size=0.5))


def test_invalid_bins_are_refused_before_anything_is_computed(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("computed")

    monkeypatch.setattr(radial, "two_point_stats", refuse)
    with pytest.raises(InputError, match="ascending order"):
        pair_correlation(labels_of((6, 5)), bins=-1)


def test_a_forgotten_state_axis_is_detected():
    with pytest.raises(InputError, match="Pass state_axis=-1"):
        pair_correlation(np.eye(3)[labels_of((6, 5))])


def test_the_gradient_equals_finite_differences():
    f = torch.rand(2, 4, 3, 2, dtype=torch.float64, generator=torch.manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(radial_average, (f,))
    assert torch.autograd.gradcheck(lambda x: radial_average(x, bins=2), (f,))


def test_anything_but_statistics_is_refused():
    with pytest.raises(InputError, match="Append an axis"):
        radial_average(np.zeros((3, 5)))
    with pytest.raises(InputError, match="NaN or infinity"):
        radial_average(np.full((3, 5, 5, 1), np.nan))
    with pytest.raises(InputError, match="numpy, dask or torch array"):
        radial_average([[1.0]])
