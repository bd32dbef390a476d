from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats import cluster_function, clusters, two_point_stats, volume_fractions

from ..structures import one_hot
from .flood import flood
from .oracle import direct_statistics
from .samples import SHAPES, labels_of, zero_lag


@pytest.mark.parametrize("space", [*SHAPES, (1, 6), (9, 2)])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("few", [0, 3, 64], ids=["boxes", "both", "pairs"])
def test_the_cluster_function_is_the_sum_of_the_autocorrelations_of_all_clusters(space, periodic, few, monkeypatch):
    monkeypatch.setattr(clusters, "FEW_VOXELS", few)
    labels = labels_of(space, phases=2, n=3)
    for connectivity in range(1, len(space) + 1):
        result = cluster_function(labels, spatial_dims=len(space), periodic=periodic, connectivity=connectivity)
        for sample, phase in np.ndindex(3, 2):
            cluster_labels = flood(labels[sample] == phase, connectivity, periodic)
            autocorrelations = [
                direct_statistics(one_hot(cluster_labels == i, 2)[None], [(1, 1)], periodic=periodic)
                for i in range(1, cluster_labels.max() + 1)
            ]
            expected = np.sum(autocorrelations, axis=0)[0, ..., 0] if autocorrelations else 0
            np.testing.assert_allclose(result[sample, ..., phase], expected, atol=1e-7)


@pytest.mark.parametrize("space", [(200,), (30, 41), (14, 15, 9)])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("volume_fraction", [0.3, 0.6])
def test_boxes_and_pairs_agree_for_clusters_of_every_size(space, periodic, volume_fraction, monkeypatch):
    labels = (np.random.default_rng(0).random((2, *space)) < volume_fraction).astype(np.uint8)
    results = []
    for few, pairs_at_once in ((0, 1 << 20), (10, 50), (1 << 20, 1 << 20)):
        monkeypatch.setattr(clusters, "FEW_VOXELS", few)
        monkeypatch.setattr(clusters, "PAIRS_AT_ONCE", pairs_at_once)
        results.append(
            cluster_function(labels, spatial_dims=len(space), phases=2, periodic=periodic, connectivity=len(space))
        )
    np.testing.assert_array_equal(results[0], results[2])
    np.testing.assert_array_equal(results[1], results[2])


@pytest.mark.parametrize("space", SHAPES)
@pytest.mark.parametrize("periodic", [True, False])
def test_values_lie_between_zero_and_the_autocorrelation(space, periodic):
    labels = labels_of(space)
    result = cluster_function(labels, spatial_dims=len(space), periodic=periodic)
    f = two_point_stats(labels, spatial_dims=len(space), correlations=[(0, 0), (1, 1), (2, 2)], periodic=periodic)
    assert result.shape == f.shape
    assert (result >= 0).all()
    assert (result <= f + 1e-6).all()
    np.testing.assert_allclose(zero_lag(result), volume_fractions(labels, spatial_dims=len(space)), atol=1e-6)


@pytest.mark.parametrize("cutoff", [0, 2, (1, 3)])
@pytest.mark.parametrize("periodic", [True, False])
def test_a_cutoff_keeps_the_central_lags(cutoff, periodic):
    labels = labels_of((8, 9))
    whole = cluster_function(labels, periodic=periodic)
    cuts = (cutoff, cutoff) if isinstance(cutoff, int) else cutoff
    centre = tuple(slice(n // 2 - c, n // 2 + c + 1) for n, c in zip(whole.shape[1:], cuts, strict=False))
    kept = cluster_function(labels, periodic=periodic, cutoff=cutoff)
    np.testing.assert_array_equal(kept, whole[(slice(None), *centre)])


def test_one_big_cluster_has_the_statistics_of_its_phase():
    y, x = np.indices((40, 40))
    disc = (np.hypot(x - 3, y - 38) < 12).astype(np.uint8)
    disc = np.maximum(disc, np.maximum(np.roll(disc, 20, 0), np.roll(disc, 20, 1)))[None]
    np.testing.assert_allclose(cluster_function(np.ones((1, 9, 8), np.uint8))[..., 1], 1)
    block = np.zeros((1, 40, 40), np.uint8)
    block[0, -8:, 5:30] = block[0, :9, 10:20] = 1
    np.testing.assert_array_equal(cluster_function(block)[..., 1:], two_point_stats(block))
    # In a window the two parts are separate clusters, so no pairs connect them.
    apart = cluster_function(block, periodic=False)[0, :, :, 1]
    np.testing.assert_array_equal(apart[[0, 5, -1]], 0)
    assert (two_point_stats(block, periodic=False)[0, 0] > 0).any()


def test_cells_of_a_checkerboard_join_at_their_corners_only():
    cells = np.kron(np.indices((4, 4)).sum(0) % 2, np.ones((3, 3), int))[None]
    joined = cluster_function(cells, connectivity=2)
    np.testing.assert_array_equal(joined[..., 1:], two_point_stats(cells))
    along = np.maximum(3 - np.abs(np.arange(-6, 6)), 0)
    expected = 8 * np.outer(along, along) / 144
    np.testing.assert_allclose(cluster_function(cells)[0, ..., 1], expected, atol=1e-7)


def test_rare_voxels_are_isolated():
    labels = (np.random.default_rng(0).random((1, 200, 200)) < 0.001).astype(np.uint8)
    result = cluster_function(labels, phases=2)[0, ..., 1]
    assert result[100, 100] == pytest.approx(labels.mean())
    assert result.sum() < 1.2 * labels.mean()


def test_states_of_zero_and_one_are_labels_and_fractions_are_refused():
    labels = labels_of((6, 5))
    expected = cluster_function(labels)
    states = cluster_function(one_hot(labels, 3), state_axis=-1)
    np.testing.assert_allclose(states, expected, atol=1e-7)
    assert states.dtype == np.float64
    with pytest.raises(InputError, match="Compare with a threshold first"):
        cluster_function(np.full((1, 4, 4), 0.5))


def test_a_gradient_is_refused():
    X = torch.zeros(1, 4, 4, requires_grad=True)
    with pytest.raises(InputError, match=r"has no gradient.*lineal_path"):
        cluster_function(X)
    with torch.no_grad():
        assert cluster_function(X).shape == (1, 4, 4, 1)
    assert cluster_function(X.detach()).shape == (1, 4, 4, 1)


def test_connectivity_ranges_from_one_to_the_number_of_dimensions():
    for connectivity in (0, 3, "faces", True, 1.5):
        with pytest.raises(InputError, match=r"connectivity must be 1 .* to 2 .* in 2-D"):
            cluster_function(labels_of((6, 5)), connectivity=connectivity)
