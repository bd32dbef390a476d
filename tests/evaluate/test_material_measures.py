"""Measures of simple structures have known values, and do not depend on blocks."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, Structures
from matvae.data import sample_blocks
from matvae.errors import InputError
from matvae.evaluate.material_measures import MEASURES, measure_structures
from matvae.stats import cluster_function

from ..stats.flood import flood
from ..structures import blobs


def stripes(shape, period, width, axis):
    """Structure with phase 1 in the first `width` of every `period` layers along an axis."""
    position = np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return np.broadcast_to(position % period < width, shape)[None].astype(np.uint8)


def checkerboard(n_tiles, tile, ndim=2):
    parity = sum(np.indices((n_tiles,) * ndim)) % 2
    return np.kron(parity, np.ones((tile,) * ndim, int))[None].astype(np.uint8)


def disc(size, radius):
    y, x = np.indices((size, size)) - size // 2
    return (x**2 + y**2 <= radius**2)[None].astype(np.uint8)


@pytest.mark.parametrize("shape", [(24, 24), (24, 12, 12)])
def test_stripes_percolate_along_their_layers_only(shape):
    X = stripes(shape, 8, 3, 0)
    periodic = measure_structures(X, phases=2, periodic=True)
    np.testing.assert_allclose(periodic["volume_fraction"], [[5 / 8, 3 / 8]])
    # Chords exist only across the layers; lines along them never end.
    np.testing.assert_allclose(periodic["mean_chord_length"], [[5, 3]], rtol=1e-6)
    assert periodic["chord_lengths"][0, [4, 2], [0, 1]] == pytest.approx([1, 1])
    across = np.zeros((len(shape), 2))
    across[1:] = 1
    np.testing.assert_array_equal(periodic["percolating_share"][0], across)
    np.testing.assert_allclose(periodic["pieces"], 1000 * 3 / np.prod(shape) * np.ones((1, 2)))
    # Two interfaces per period; for flat interfaces the isotropic formula gives pi/4 in 2-D and 2/3 in 3-D of the area.
    orientation = np.pi / 4 if len(shape) == 2 else 2 / 3
    np.testing.assert_allclose(periodic["specific_surface"], 2 / 8 * orientation * np.ones((1, 2)), rtol=1e-6)


def test_tiles_of_a_checkerboard_are_separate_pieces_unless_corners_connect():
    X = checkerboard(6, 4)
    faces = measure_structures(X, phases=2, periodic=True)
    corners = measure_structures(X, phases=2, periodic=True, connectivity=2)
    np.testing.assert_allclose(faces["pieces"], 1000 * 18 / 24**2 * np.ones((1, 2)))
    np.testing.assert_allclose(corners["pieces"], 1000 / 24**2 * np.ones((1, 2)))
    assert not faces["percolating_share"].any()
    assert (corners["percolating_share"] == 1).all()
    np.testing.assert_allclose(faces["mean_chord_length"], [[4, 4]], rtol=1e-6)
    # Segments of z + 1 voxels in tiles of 4: (4 - z) / 4 of the positions, in half of the tiles.
    expected = np.maximum(4 - np.arange(faces["lineal_path"].shape[1]), 0) / 8
    np.testing.assert_allclose(faces["lineal_path"][0], np.stack([expected] * 2, -1), atol=1e-7)


def test_a_disc_has_known_circumference_and_mean_chord_in_a_percolating_matrix():
    radius, size = 20, 65
    measured = measure_structures(disc(size, radius), phases=2)
    np.testing.assert_allclose(measured["specific_surface"][0, 1], 2 * np.pi * radius / size**2, rtol=0.05)
    # Mean chord of a disc by parallel lines: pi r / 2.
    np.testing.assert_allclose(measured["mean_chord_length"][0, 1], np.pi * radius / 2, rtol=0.05)
    np.testing.assert_array_equal(measured["percolating_share"][0], [[1, 0], [1, 0]])
    np.testing.assert_allclose(measured["pieces"], 1000 / size**2 * np.ones((1, 2)))
    # A single cluster: the cluster function at radius 0 is the volume fraction.
    np.testing.assert_allclose(measured["cluster_function"][:, 0], measured["volume_fraction"], rtol=1e-6)


def test_the_percolating_share_counts_voxels_of_spanning_clusters_only():
    X = np.zeros((1, 6, 10), np.uint8)
    X[0, 1] = 1  # spans axis 1
    X[0, 3:5, 2:4] = 1
    share = measure_structures(X, phases=2, measures=["percolating_share"])["percolating_share"]
    np.testing.assert_allclose(share[0, :, 1], [0, 10 / 14])
    # Phase 0 is cut in two: the lower part holds 40 - 4 voxels, the upper one 10; both span axis 1.
    np.testing.assert_allclose(share[0, :, 0], [0, 1])


@pytest.mark.parametrize(("shape", "phases"), [((9, 8), 2), ((7, 9), 10), ((6, 5, 6), 3)])
@pytest.mark.parametrize("periodic", [True, False])
def test_clusters_equal_those_of_a_flood_fill(shape, phases, periodic):
    X = np.random.default_rng(0).integers(0, phases, (3, *shape)).astype(np.uint8)
    measured = measure_structures(X, phases=phases, periodic=periodic)
    for sample, structure in enumerate(X):
        for phase in range(phases):
            inside = structure == phase
            n_clusters = flood(inside, 1, periodic).max()
            assert measured["pieces"][sample, phase] == pytest.approx(1000 * n_clusters / inside.size)
            clusters = flood(inside, 1, False)
            for axis in range(inside.ndim):
                ends = set(clusters.take(0, axis).ravel()) & set(clusters.take(-1, axis).ravel()) - {0}
                share = np.isin(clusters, list(ends)).sum() / max(1, inside.sum())
                assert measured["percolating_share"][sample, axis, phase] == pytest.approx(share)


def test_the_cluster_function_is_averaged_over_rings_of_one_voxel():
    X = blobs(2, (13, 12))
    measured = measure_structures(X, phases=2, cutoff=4)["cluster_function"]
    f = cluster_function(X, phases=2, periodic=False, cutoff=4)
    rings = np.floor(np.hypot(*np.ogrid[-4:5, -4:5]) + 0.5)
    expected = np.stack([f[:, rings == ring].mean(axis=1) for ring in range(5)], axis=1)
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


def test_an_absent_phase_has_no_chords_and_does_not_percolate():
    measured = measure_structures(np.zeros((2, 6, 6), np.uint8), phases=3)
    assert np.isnan(measured["mean_chord_length"]).all()
    for name in set(MEASURES) - {"mean_chord_length"}:
        assert not measured[name][..., 1:].any()
    assert (measured["percolating_share"][..., 0] == 1).all()


def test_blocks_give_the_measures_of_the_whole(monkeypatch):
    X = blobs(7, (10, 9), phases=3)
    whole = measure_structures(X, phases=3)
    done = []
    monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 2 * 4 * 3 * 90)
    structures = Structures(X, Grid((10, 9), phases=3, periodic=False))
    blocks = measure_structures(structures, phases=3, progress=lambda n, total: done.append((n, total)))
    assert len(done) > 2
    assert done[-1] == (7, 7)
    assert list(whole) == list(blocks) == list(MEASURES)
    for name, values in whole.items():
        np.testing.assert_array_equal(values, blocks[name])
        assert values.dtype == np.float64


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (np.zeros((2, 6, 6), np.uint8), {"measures": ["colour"]}, "measures must be one of 'volume_fraction'"),
        (np.zeros((2, 6, 6), np.uint8), {"phases": 1}, "phases must be an integer of at least 2"),
        (np.zeros((2, 6, 6), np.uint8), {"connectivity": 3}, "connectivity must be an integer from 1 to 2"),
        (np.zeros((2, 6, 6), np.uint8), {"cutoff": 3}, "cutoff must be an integer from 1 to 2"),
        (np.full((2, 6, 6), 2, np.uint8), {}, "labels 0 to 1 were expected"),
        (np.zeros((2, 6, 6)), {}, "phases=2 asks for integer phase labels"),
        (np.zeros((2, 6, 3), np.uint8), {}, "at least 4 voxels"),
        (np.zeros((0, 6, 6), np.uint8), {}, "an empty array of shape"),
    ],
)
def test_invalid_input_is_refused(X, options, message):
    with pytest.raises(InputError, match=message):
        measure_structures(X, **({"phases": 2} | options))
