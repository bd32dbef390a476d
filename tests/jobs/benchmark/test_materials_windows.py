"""Windows for training, validation and test share no voxel, and files become the phases that are meant."""

from __future__ import annotations

from dataclasses import replace
from zipfile import ZipFile

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.jobs.benchmark.materials_windows import (
    GAP,
    MATERIALS,
    _regions,
    _side,
    choose_materials,
    cut,
    read_picture,
)

from .standins import SMALL, field, grains, write_materials

MANY = {"most_training": 10_000, "most_held_out": 10_000}
SLICES = replace(MATERIALS["berea"], size=12, strides=(2, 6, 6), held_out_strides=(4, 12, 12))
VOLUME = replace(MATERIALS["berea_3d"], size=8, strides=(4, 4, 4), held_out_strides=(8, 8, 8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "data"
    write_materials(folder)
    return folder


@pytest.mark.parametrize(("shape", "kind"), [((20, 30), "image"), ((40, 20, 22), "slices"), ((16, 18, 20), "volume")])
def test_regions_cover_the_picture_once(shape, kind):
    gap = 5 if kind == "slices" else 0
    sides = set()
    for seed in range(6):
        axis, at_end = _side(len(shape), kind, seed)
        sides.add((axis, at_end))
        counts = np.zeros((3, *shape), int)
        for count, region in zip(counts, _regions(shape, axis, at_end, gap), strict=True):
            count[tuple(slice(*bounds) for bounds in region)] += 1
        assert counts.sum(0).max() == 1
        # Only the slices of the gap belong to no region.
        assert (counts.sum(0) == 0).sum() == gap * np.prod(shape) // shape[0]
        assert abs(int(counts[1].sum()) - int(counts[2].sum())) <= np.prod(shape) // min(shape)
    assert len(sides) == {"image": 4, "slices": 2, "volume": 6}[kind]


@pytest.mark.parametrize(
    ("material", "shape"), [(SMALL, (96, 96)), (SLICES, (64, 30, 40)), (VOLUME, (24, 26, 30))], ids=lambda x: str(x)[:9]
)
def test_windows_lie_in_their_regions(material, shape):
    """A picture whose label is the region has constant windows, each of the region that is meant."""
    for seed in range(4):
        axis, at_end = _side(len(shape), material.kind, seed)
        gap = GAP if material.kind == "slices" else 0
        picture = np.full(shape, 3, np.uint8)
        for label, region in enumerate(_regions(shape, axis, at_end, gap)):
            picture[tuple(slice(*bounds) for bounds in region)] = label
        windows = cut(replace(material, values=((0,), (1,), (2,), (3,))), picture, seed, **MANY)
        for label, part in enumerate((windows.training, windows.validation, windows.test)):
            assert len(part) > 1
            assert part.shape[1:] == (material.size,) * (2 if material.kind != "volume" else 3)
            assert (part == label).all()
        assert set(np.unique(windows.apart)) == {1, 2}
        assert (windows.larger == 0).all()
        assert windows.larger.shape == tuple(2 * n for n in windows.test.shape[1:])


def test_windows_are_parts_of_the_picture_in_order():
    picture = field((96, 96))
    windows = cut(SMALL, picture, 0, **MANY)
    # The end of x is held out: 60 of 96 columns remain, in which windows lie 6 pixels apart.
    expected = [picture[y : y + 24, x : x + 24] for y in range(0, 73, 6) for x in range(0, 37, 6)]
    np.testing.assert_array_equal(windows.training, expected)
    np.testing.assert_array_equal(windows.test[0], picture[48:72, 60:84])
    # Without overlap, one window fits across the 36 held-out columns, and two along each half of 48 rows.
    np.testing.assert_array_equal(windows.apart, [picture[y : y + 24, 60:84] for y in (0, 24, 48, 72)])


def test_the_seed_draws_windows():
    picture = field((96, 96))
    first, again, other = (cut(SMALL, picture, seed, most_training=9, most_held_out=3) for seed in (0, 0, 4))
    assert (len(first.training), len(first.validation), len(first.test)) == (9, 3, 3)
    np.testing.assert_array_equal(first.training, again.training)
    # Seed 4 holds out the same side, but draws other windows.
    assert first.held_out == other.held_out == "end of x"
    assert (first.training != other.training).any()


def test_values_in_files_become_phases(folder):
    pictures = {name: read_picture(MATERIALS[name], folder) for name in ("hsla_steel", "berea", "nmc", "composite")}
    np.testing.assert_array_equal(pictures["hsla_steel"], field((96, 116), 3))
    # Pores, stored as 0, are phase 1.
    np.testing.assert_array_equal(pictures["berea"], field((40, 48, 56), 4))
    # Active material, stored as 1, is phase 1; pores and binder together are phase 0.
    np.testing.assert_array_equal(pictures["nmc"], grains((30, 34, 38)) == 1)
    np.testing.assert_array_equal(pictures["composite"], grains((96, 96)))


def test_real_pictures_have_the_known_phases(shared_data):
    # The porosity of this scan of Berea sandstone.
    assert read_picture(MATERIALS["berea"], shared_data).mean() == pytest.approx(0.196, abs=1e-3)
    assert read_picture(MATERIALS["composite"], shared_data).max() == 2


def test_materials_are_chosen_by_name_or_by_what_exists(folder, tmp_path):
    assert [material.name for material in choose_materials(folder, None)] == list(MATERIALS)
    assert [material.name for material in choose_materials(folder, ("nmc", "alloy"))] == ["alloy", "nmc"]
    with pytest.raises(InputError, match=r"materials must be some of alloy.*'gold'"):
        choose_materials(folder, ("gold",))
    with pytest.raises(InputError, match=r"'alloy' is expected in .*alloy\.npy"):
        choose_materials(tmp_path, ("alloy",))
    with pytest.raises(InputError, match=r"holds none of .*berea\.zip"):
        choose_materials(tmp_path, None)


def test_an_archive_of_several_files_is_refused(tmp_path):
    (tmp_path / "volumes").mkdir()
    with ZipFile(tmp_path / "volumes" / "berea.zip", "w") as archive:
        archive.writestr("a.tif", b"")
        archive.writestr("b.tif", b"")
    with pytest.raises(InputError, match=r"single file, but holds a\.tif, b\.tif"):
        read_picture(MATERIALS["berea"], tmp_path)


def test_pictures_that_are_too_small_are_refused():
    with pytest.raises(InputError, match="must fit into the region"):
        cut(SMALL, field((40, 40)), 0, **MANY)
