from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.reconstruction import Wanted, realise, reconstruct
from matvae.reconstruction.paths import crosses
from matvae.stats import (
    chord_length_distribution,
    cluster_function,
    lineal_path,
    relative_error,
    surface_area,
    two_point_stats,
    volume_fractions,
)

from ..structures import blobs
from .structures import fractions

LABELS = blobs(3, (32, 32))
GRID = Grid((32, 32))
F = two_point_stats(LABELS, cutoff=8)
CHORDS = {"cutoff": 12}


def reconstructed(statistics=F, **options):
    return reconstruct(statistics, grid=GRID, random_state=0, max_iter=80, **options)


@pytest.mark.parametrize(
    ("name", "function", "options", "share"),
    [
        ("lineal_path", lineal_path, {}, 0.5),
        ("chord_length", chord_length_distribution, CHORDS, 0.5),
        ("surface_area", surface_area, {}, 0.5),
        ("cluster", cluster_function, {"cutoff": 8}, 0.8),
    ],
)
def test_an_additional_statistic_comes_closer_if_it_is_requested(name, function, options, share):
    values = function(LABELS, phases=2, **options)
    # Few lags leave much undetermined; those of one voxel would already determine the specific surface.
    f = two_point_stats(LABELS, cutoff=0 if name == "surface_area" else 1)
    without, reconstruction = reconstructed(f), reconstructed(f, also=[Wanted(name, values, options=options)])
    error = relative_error(values, function(reconstruction.structures, phases=2, **options))
    np.testing.assert_allclose(reconstruction.errors[name], error, rtol=1e-3)
    assert error.mean() < share * relative_error(values, function(without.structures, phases=2, **options)).mean()
    combined = np.hypot(reconstruction.errors["two_point"], error) / np.sqrt(2)
    np.testing.assert_allclose(reconstruction.error, combined, rtol=1e-3)
    assert np.array_equal(fractions(reconstruction.structures, 2), fractions(LABELS, 2))


def test_a_larger_weight_brings_its_statistic_closer():
    values = lineal_path(LABELS)
    light, heavy = (reconstructed(also=[Wanted("lineal_path", values, weight=weight)]).errors for weight in (0.01, 10))
    assert heavy["lineal_path"].mean() < 0.7 * light["lineal_path"].mean()
    assert light["two_point"].mean() < 0.7 * heavy["two_point"].mean()


def test_other_statistics_and_volume_fractions_are_sufficient():
    values = lineal_path(LABELS)
    reconstruction = reconstructed(
        None, also=[Wanted("lineal_path", values)], volume_fractions=volume_fractions(LABELS)
    )
    assert set(reconstruction.errors) == {"lineal_path"}
    assert np.array_equal(fractions(reconstruction.structures, 2), fractions(LABELS, 2))
    assert reconstruction.error.mean() < 0.05
    assert reconstruction.realizable.all()
    shuffled = np.random.default_rng(0).permuted(LABELS.reshape(3, -1), axis=1).reshape(LABELS.shape)
    assert relative_error(values, lineal_path(shuffled)).mean() > 0.2


def test_statistics_of_masked_structures_are_reproduced():
    mask = np.ones((32, 32), np.uint8)
    mask[10:18, 5:20] = 0
    f = two_point_stats(LABELS, mask=mask, cutoff=8)
    reconstruction = reconstructed(f, mask=mask)
    statistics = two_point_stats(reconstruction.structures, mask=mask, cutoff=8)
    np.testing.assert_allclose(reconstruction.error, relative_error(f, statistics), rtol=1e-2)
    assert reconstruction.error.mean() < 0.02
    each = np.stack([mask, mask.T, mask[::-1]])
    f = two_point_stats(LABELS, mask=each, cutoff=8)
    reconstruction = reconstructed(f, mask=each)
    statistics = two_point_stats(reconstruction.structures, mask=each, cutoff=8)
    np.testing.assert_allclose(reconstruction.error, relative_error(f, statistics), rtol=1e-2)


@pytest.mark.parametrize("method", ["auto", "retrieval", "swaps"])
def test_fixed_voxels_keep_their_phase(method):
    fixed = np.full((32, 32), 255, np.uint8)
    fixed[:3] = LABELS[1, :3]
    reconstruction = reconstructed(F[1:2], fixed=fixed, n_realizations=2, method=method)
    assert (reconstruction.structures[0, :, :3] == LABELS[1, :3]).all()
    assert (fractions(reconstruction.structures[0], 2) == fractions(LABELS, 2)[1]).all()
    if method != "retrieval":
        assert reconstruction.error.max() < 0.02
    each = LABELS.copy()
    each[:, 4:] = 255
    assert np.array_equal(reconstructed(fixed=each, method=method).structures[:, :4], LABELS[:, :4])


def test_a_fixed_border_recovers_the_original_structure():
    f = two_point_stats(LABELS)
    fixed = LABELS.copy()
    fixed[:, 4:-4, 4:-4] = 255
    reconstruction = reconstructed(f, fixed=fixed)
    # The border excludes shifted and inverted structures.
    assert np.mean(reconstruction.structures == LABELS) > 0.95


@pytest.mark.parametrize("method", ["auto", "retrieval", "swaps"])
@pytest.mark.parametrize("periodic", [True, False])
def test_phases_percolate_along_the_requested_axes(method, periodic):
    labels = (blobs(3, (32, 32), 3) == 2).astype(np.uint8)
    f = two_point_stats(labels, periodic=periodic, cutoff=5)
    grid = Grid((32, 32), periodic=periodic)
    options = {"grid": grid, "random_state": 0, "max_iter": 80, "method": method}
    free = reconstruct(f, **options)
    assert not all(crosses(structure == 1, axis) for structure in free.structures for axis in (0, 1))
    connected = reconstruct(f, percolates=[(1, "y"), (1, "x")], **options)
    assert all(crosses(structure == 1, axis) for structure in connected.structures for axis in (0, 1))
    assert np.array_equal(fractions(connected.structures, 2), fractions(labels, 2))
    if method != "retrieval":
        assert connected.error.mean() < 0.05


def test_smoothing_removes_interfaces():
    noisy = LABELS ^ (np.random.default_rng(0).random(LABELS.shape) < 0.03)
    f = two_point_stats(noisy, cutoff=8)
    areas, errors, pieces = [], [], []
    for smoothing in (0, 1e-3, 1e-1):
        reconstruction = reconstructed(f, smoothing=smoothing)
        areas.append(surface_area(reconstruction.structures, isotropic=False)[:, 1].mean())
        errors.append(reconstruction.error.mean())
        pieces.append(sum(ndimage.label(structure)[1] for structure in reconstruction.structures))
        assert np.array_equal(fractions(reconstruction.structures, 2), fractions(noisy, 2))
    assert areas[0] > areas[1] > areas[2]
    assert errors[0] < errors[2]
    assert pieces[2] < 0.5 * pieces[0]


def test_realizations_agree_less_if_fewer_lags_are_specified():
    f = two_point_stats(LABELS)
    all_lags = reconstructed(f, n_realizations=3)
    few_lags = reconstructed(F, n_realizations=3)
    assert all_lags.agreement().share.shape == (3,)
    # All lags nearly determine the structure, few lags do not.
    assert few_lags.agreement().share.mean() < all_lags.agreement().share.mean()
    assert (few_lags.agreement().share > few_lags.agreement().chance).all()


def test_blocks_do_not_change_the_result_with_constraints(monkeypatch):
    fixed = LABELS.copy()
    fixed[:, 2:] = 255
    demands = {
        "fixed": fixed,
        "percolates": (0, "y"),
        "n_realizations": 2,
        "method": "retrieval",
        "max_iter": 3,
    }
    at_once = reconstruct(F, grid=GRID, random_state=0, **demands)
    monkeypatch.setattr(realise, "BLOCK_VOXELS", 1)
    one_by_one = reconstruct(F, grid=GRID, random_state=0, **demands)
    assert np.array_equal(one_by_one.structures, at_once.structures)
    np.testing.assert_allclose(one_by_one.error, at_once.error, rtol=1e-5)


def test_a_start_with_other_volume_fractions_is_corrected():
    reconstruction = reconstruct(F, grid=GRID, init=1 - LABELS, method="swaps", random_state=0)
    assert np.array_equal(fractions(reconstruction.structures, 2), fractions(LABELS, 2))


@pytest.mark.parametrize(
    ("statistics", "options", "words"),
    [
        (None, {}, "volume_fractions must hold a non-negative fraction"),
        (None, {"volume_fractions": [0.5, 0.5]}, "none were given"),
        (None, {"volume_fractions": [0.5, 0.5], "method": "retrieval"}, "Phase retrieval needs 2-point statistics"),
        (F, {"volume_fractions": [0.5, 0.5]}, "volume fractions follow from the 2-point statistics"),
        (F, {"mask": np.ones((32, 31))}, "A mask of shape"),
        (F, {"fixed": np.ones((32, 31), int)}, r"fixed must be labels of shape \(32, 32\)"),
        (F, {"percolates": (2, 0)}, "a phase from 0 to 1"),
        (F, {"smoothing": -1}, "smoothing must be"),
    ],
)
def test_invalid_demands_are_refused(statistics, options, words):
    with pytest.raises(InputError, match=words):
        reconstructed(statistics, **options)
