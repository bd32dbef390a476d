"""Masks: from files, NaN and voxels that were not measured, through opening, windows and the store."""

from __future__ import annotations

import logging

import dask.array as da
import numpy as np
import pytest

from matvae.data import Structures, concatenate, open_structures, save_structures, windows
from matvae.data.lazy_array import LazyArray
from matvae.data.masks import valid_fractions, whole_only, without_outside
from matvae.data.open import as_structures
from matvae.data.readers import Source
from matvae.data.subsets import select
from matvae.errors import InputError, StoreError
from matvae.grid import Grid

SHAPE = (3, 10, 14)
VOLUME = np.random.default_rng(0).integers(0, 2, SHAPE).astype(np.uint8)
Y, X = np.indices(SHAPE[1:])
DISC = (Y - 4.5) ** 2 + (X - 6) ** 2 < 25


def check(structures, labels, inside):
    """Compare labels inside the mask, where alone they mean something; the others are 0."""
    inside = np.broadcast_to(inside, structures.data.shape)
    np.testing.assert_array_equal(structures.mask.compute(), inside)
    np.testing.assert_array_equal(structures.data.compute(), np.where(inside, labels, 0))


def test_a_mask_of_one_image_counts_for_all():
    opened = open_structures(VOLUME, axes="syx", mask=DISC)
    check(opened, VOLUME, DISC)
    assert opened.grid.phases == 2
    np.testing.assert_allclose(valid_fractions(opened), DISC.mean())


def test_a_mask_in_a_file_has_the_axes_of_the_image(tmp_path):
    np.save(tmp_path / "image.npy", VOLUME.T)
    inside = np.random.default_rng(1).random(SHAPE) < 0.8
    np.save(tmp_path / "mask.npy", 255 * inside.T.astype(np.uint8))
    np.save(tmp_path / "disc.npy", DISC.T)
    check(open_structures(tmp_path / "image.npy", axes="xyz", mask=tmp_path / "mask.npy"), VOLUME, inside)
    check(open_structures(tmp_path / "image.npy", axes="xys", mask=str(tmp_path / "disc.npy")), VOLUME, DISC)


def test_values_outside_the_mask_are_no_phase():
    labels = np.where(DISC, VOLUME[0] + 1, 200)
    opened = open_structures(labels, mask=DISC, phase_values="auto")
    assert (opened.grid.phases, opened.attributes["phase_values"]) == (2, [1, 2])
    check(opened, VOLUME[:1], DISC)
    for values in ((1, 2), (1.0, 2)):
        check(open_structures(labels, mask=DISC, phase_values=values), VOLUME[:1], DISC)
    listed = open_structures(labels.astype(np.uint8), mask=DISC, phase_values=(300, 0.5, "nan", 1, 2))
    check(listed, VOLUME[:1] + 3, DISC)
    check(open_structures(np.where(DISC, VOLUME[0], 200), mask=DISC), VOLUME[:1], DISC)


@pytest.mark.parametrize("phase_values", [None, "auto", (0.5, 1.5), ("nan", 0.5, 1.5)])
def test_voxels_that_are_nan_are_left_out(phase_values):
    values = np.where(DISC, VOLUME + (1 if phase_values == "auto" else 0.5), np.nan)
    opened = open_structures(values, axes="zyx", mask="nan", phase_values=phase_values)
    expected = {None: values[None], ("nan", 0.5, 1.5): VOLUME + 1}.get(phase_values, VOLUME)
    check(opened, expected, DISC)


@pytest.mark.parametrize("phase_values", [None, "auto", (1, 2)])
def test_voxels_that_were_not_measured_are_left_out(phase_values):
    offset = 0 if phase_values is None else 1
    values = np.where(DISC, VOLUME[0] + np.int16(offset), np.int16(-1))

    def source():
        array = LazyArray("map.ang", values.shape, values.dtype, ((4, 6), (14,)), lambda box: values[box])
        return Source(array, axes="yx", missing=-1)

    check(as_structures(source(), None, phase_values, mask="missing"), VOLUME[:1], DISC)
    count = np.count_nonzero(~DISC)
    with pytest.raises(InputError, match=rf"{count} of 140 points.*mask='missing'.*--mask missing"):
        as_structures(source(), None, phase_values)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("nan", r"holds integers \(uint8\).*--mask mask.tif"),
        ("missing", "does not state which voxels were not measured"),
        ("absent.tif", "no file or folder.*--mask nan"),
        (np.zeros(SHAPE[1:], bool), "0 outside the sample and one other value inside, but holds 0"),
        (DISC + 1, "but holds 1, 2"),
        (DISC + np.eye(10, 14, dtype=int), "but holds 0, 1, 2"),
        (DISC[:5], r"size of the structures, \(10, 14\)"),
        (np.stack([DISC, DISC]), "one for all 3 or one for each"),
    ],
)
def test_masks_that_do_not_fit_are_refused(mask, message):
    with pytest.raises(InputError, match=message):
        open_structures(VOLUME, axes="syx", mask=mask)


def test_an_image_without_any_measured_voxel_is_refused():
    with pytest.raises(InputError, match="should have voxels inside the mask, but has none"):
        open_structures(np.full((4, 4), np.nan), mask="nan", phase_values="auto")


def test_masks_go_through_the_store(tmp_path, monkeypatch):
    from matvae.data import layout

    masked = open_structures(VOLUME, axes="syx", mask=DISC)
    for limit in (layout.SHARD_VOXELS, 60):
        monkeypatch.setattr(layout, "SHARD_VOXELS", limit)
        monkeypatch.setitem(layout._SPATIAL_CHUNK, 2, 4)
        save_structures(tmp_path / "s.zarr", masked, overwrite=True)
        check(open_structures(tmp_path / "s.zarr"), VOLUME, DISC)
    ring = DISC & (X > 5)
    check(open_structures(tmp_path / "s.zarr", mask=ring), VOLUME, ring)
    with pytest.raises(InputError, match="outside the mask already"):
        open_structures(tmp_path / "s.zarr", mask="nan")


def test_a_store_whose_mask_is_lost_is_refused(tmp_path):
    save_structures(tmp_path / "s.zarr", open_structures(VOLUME, axes="syx", mask=DISC))
    for file in (tmp_path / "s.zarr" / "mask" / "c").rglob("*"):
        if file.is_file():
            file.unlink()
    with pytest.raises(StoreError, match="its array 'mask' are missing"):
        open_structures(tmp_path / "s.zarr")


def test_windows_cut_the_mask_and_leave_out_those_with_too_few_voxels(caplog):
    masked = open_structures(VOLUME, axes="syx", mask=DISC)
    images = np.stack([DISC[y : y + 5, x : x + 7] for y in (0, 5) for x in (0, 7)])
    cut = windows(masked, (5, 7))
    np.testing.assert_array_equal(cut.mask.compute(), np.tile(images, (3, 1, 1)))
    fractions = images.mean(axis=(1, 2))
    least = np.sort(fractions)[1] + 1e-9
    with caplog.at_level(logging.INFO, logger="matvae"):
        few = windows(masked, (5, 7), min_valid=least)
    kept = np.flatnonzero(np.tile(fractions, 3) >= least)
    assert 0 < len(kept) < 12
    np.testing.assert_array_equal(few.data.compute(), cut.data.compute()[kept])
    np.testing.assert_array_equal(few.mask.compute(), cut.mask.compute()[kept])
    np.testing.assert_array_equal(few.properties["position_x"], cut.properties["position_x"][kept])
    assert f"{12 - len(kept)} of 12 windows have less than" in caplog.text


def test_windows_inside_need_no_mask_and_empty_ones_are_left_out():
    masked = open_structures(VOLUME, axes="syx", mask=DISC)
    inside = windows(masked, 4, stride=1, min_valid=1)
    assert inside.mask is None
    corners = [(y, x) for y in range(7) for x in range(11) if DISC[y : y + 4, x : x + 4].all()]
    expected = np.stack([image[y : y + 4, x : x + 4] for image in VOLUME for y, x in corners])
    np.testing.assert_array_equal(inside.data.compute(), expected)
    occupied = [DISC[y : y + 2, x : x + 2].any() for y in range(0, 10, 2) for x in range(0, 14, 2)]
    assert len(windows(masked, 2)) == 3 * sum(occupied) < 3 * len(occupied)


@pytest.mark.parametrize(
    ("mask", "options", "message"),
    [
        (DISC, {"min_valid": 1.5}, "above 0 and up to 1"),
        (DISC, {"min_valid": 0}, "above 0 and up to 1"),
        (None, {"min_valid": 0.5}, "have none.*--mask"),
        (DISC, {"min_valid": 1}, r"All 3 windows .* the most is 55.* %.*--min-valid"),
        (DISC, {"region": [(0, 1), (0, 2)]}, "have no voxel inside the mask"),
    ],
)
def test_impossible_windows_are_refused(mask, options, message):
    masked = open_structures(VOLUME, axes="syx", mask=mask)
    size = (1, 2) if "region" in options else (10, 14)
    with pytest.raises(InputError, match=message):
        windows(masked, size, **options)


def test_masks_follow_samples():
    inside = np.random.default_rng(1).random(SHAPE) < 0.8
    masked = open_structures(VOLUME, axes="syx", mask=inside)
    check(masked[1:], VOLUME[1:], inside[1:])
    check(select(masked, np.array([2, 0])), VOLUME[[2, 0]], inside[[2, 0]])
    whole = open_structures(VOLUME, axes="syx")
    both = concatenate([whole, masked])
    check(both, np.concatenate([VOLUME, VOLUME]), np.concatenate([np.ones_like(inside), inside]))
    assert concatenate([whole, whole]).mask is None


@pytest.mark.parametrize("mask", [DISC, np.ones(SHAPE, int)])
def test_structures_refuse_other_masks(mask):
    with pytest.raises(InputError, match="booleans of this shape"):
        Structures(VOLUME, Grid(SHAPE[1:]), mask=mask)


def test_only_whole_structures_are_kept():
    inside = np.ones(SHAPE, bool)
    inside[1, 2, 3] = False
    masked = open_structures(VOLUME, axes="syx", mask=inside)
    kept = whole_only(masked)
    assert kept.mask is None
    np.testing.assert_array_equal(kept.data.compute(), VOLUME[[0, 2]])
    assert len(whole_only(masked[1:2])) == 0
    whole = open_structures(VOLUME, axes="syx")
    assert whole_only(whole) is whole


def test_voxels_outside_are_replaced_whatever_they_hold():
    field = da.from_array(np.array([[1.5, np.nan], [np.inf, -2.0]]))
    np.testing.assert_array_equal(without_outside(field, ~da.isnan(field) & ~da.isinf(field)), [[1.5, 0], [0, -2]])
