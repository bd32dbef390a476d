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


def again(statistics=F, **options):
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
def test_a_further_statistic_comes_closer_when_it_is_wanted(name, function, options, share):
    values = function(LABELS, phases=2, **options)
    # Beside few lags, which leave much open; lags of one voxel would tell the surface already.
    f = two_point_stats(LABELS, cutoff=0 if name == "surface_area" else 1)
    without, found = again(f), again(f, also=[Wanted(name, values, options=options)])
    own = relative_error(values, function(found.structures, phases=2, **options))
    np.testing.assert_allclose(found.errors[name], own, rtol=1e-3)
    assert own.mean() < share * relative_error(values, function(without.structures, phases=2, **options)).mean()
    np.testing.assert_allclose(found.error, np.hypot(found.errors["two_point"], own) / np.sqrt(2), rtol=1e-3)
    assert np.array_equal(fractions(found.structures, 2), fractions(LABELS, 2))


def test_a_larger_weight_brings_its_statistic_closer():
    values = lineal_path(LABELS)
    light, heavy = (again(also=[Wanted("lineal_path", values, weight=weight)]).errors for weight in (0.01, 10))
    assert heavy["lineal_path"].mean() < 0.7 * light["lineal_path"].mean()
    assert light["two_point"].mean() < 0.7 * heavy["two_point"].mean()


def test_other_statistics_alone():
    values = lineal_path(LABELS)
    found = again(None, also=[Wanted("lineal_path", values)], volume_fractions=volume_fractions(LABELS))
    assert set(found.errors) == {"lineal_path"}
    assert np.array_equal(fractions(found.structures, 2), fractions(LABELS, 2))
    assert found.error.mean() < 0.05
    assert found.realizable.all()
    shuffled = np.random.default_rng(0).permuted(LABELS.reshape(3, -1), axis=1).reshape(LABELS.shape)
    assert relative_error(values, lineal_path(shuffled)).mean() > 0.2


def test_statistics_that_a_mask_was_laid_on():
    mask = np.ones((32, 32), np.uint8)
    mask[10:18, 5:20] = 0
    f = two_point_stats(LABELS, mask=mask, cutoff=8)
    found = again(f, mask=mask)
    own = two_point_stats(found.structures, mask=mask, cutoff=8)
    np.testing.assert_allclose(found.error, relative_error(f, own), rtol=1e-2)
    assert found.error.mean() < 0.02
    each = np.stack([mask, mask.T, mask[::-1]])
    f = two_point_stats(LABELS, mask=each, cutoff=8)
    found = again(f, mask=each)
    np.testing.assert_allclose(
        found.error, relative_error(f, two_point_stats(found.structures, mask=each, cutoff=8)), rtol=1e-2
    )


@pytest.mark.parametrize("method", ["auto", "retrieval", "swaps"])
def test_fixed_voxels_stay(method):
    fixed = np.full((32, 32), 255, np.uint8)
    fixed[:3] = LABELS[1, :3]
    found = again(F[1:2], fixed=fixed, n_realizations=2, method=method)
    assert (found.structures[0, :, :3] == LABELS[1, :3]).all()
    assert (fractions(found.structures[0], 2) == fractions(LABELS, 2)[1]).all()
    if method != "retrieval":
        assert found.error.max() < 0.02
    each = LABELS.copy()
    each[:, 4:] = 255
    assert np.array_equal(again(fixed=each, method=method).structures[:, :4], LABELS[:, :4])


def test_a_fixed_border_brings_back_the_structure_itself():
    f = two_point_stats(LABELS)
    fixed = LABELS.copy()
    fixed[:, 4:-4, 4:-4] = 255
    found = again(f, fixed=fixed)
    # With the border, shift and inversion are no longer open.
    assert np.mean(found.structures == LABELS) > 0.95


@pytest.mark.parametrize("method", ["auto", "retrieval", "swaps"])
@pytest.mark.parametrize("periodic", [True, False])
def test_phases_percolate_where_they_are_asked_to(method, periodic):
    labels = (blobs(3, (32, 32), 3) == 2).astype(np.uint8)
    f = two_point_stats(labels, periodic=periodic, cutoff=5)
    grid = Grid((32, 32), periodic=periodic)
    options = {"grid": grid, "random_state": 0, "max_iter": 80, "method": method}
    free = reconstruct(f, **options)
    assert not all(crosses(one == 1, axis) for one in free.structures for axis in (0, 1))
    found = reconstruct(f, percolates=[(1, "y"), (1, "x")], **options)
    assert all(crosses(one == 1, axis) for one in found.structures for axis in (0, 1))
    assert np.array_equal(fractions(found.structures, 2), fractions(labels, 2))
    if method != "retrieval":
        assert found.error.mean() < 0.05


def test_smoothing_removes_interfaces():
    noisy = LABELS ^ (np.random.default_rng(0).random(LABELS.shape) < 0.03)
    f = two_point_stats(noisy, cutoff=8)
    areas, errors, pieces = [], [], []
    for smoothing in (0, 1e-3, 1e-1):
        found = again(f, smoothing=smoothing)
        areas.append(surface_area(found.structures, isotropic=False)[:, 1].mean())
        errors.append(found.error.mean())
        pieces.append(sum(ndimage.label(one)[1] for one in found.structures))
        assert np.array_equal(fractions(found.structures, 2), fractions(noisy, 2))
    assert areas[0] > areas[1] > areas[2]
    assert errors[0] < errors[2]
    assert pieces[2] < 0.5 * pieces[0]


def test_realizations_agree_by_no_more_than_their_target_tells():
    f = two_point_stats(LABELS)
    one = again(f, n_realizations=3)
    some = again(F, n_realizations=3)
    assert one.agreement().share.shape == (3,)
    # All lags tell nearly the structure itself, few lags do not.
    assert some.agreement().share.mean() < one.agreement().share.mean()
    assert (some.agreement().share > some.agreement().chance).all()


def test_blocks_do_not_matter_to_demands(monkeypatch):
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
    found = reconstruct(F, grid=GRID, init=1 - LABELS, method="swaps", random_state=0)
    assert np.array_equal(fractions(found.structures, 2), fractions(LABELS, 2))


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
        again(statistics, **options)
