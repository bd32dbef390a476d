"""Read-only arrays, such as memory maps, are accepted without a warning and give the same structures."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from matvae.grid import Grid
from matvae.reconstruction import Wanted, reconstruct, reconstruct_volume
from matvae.stats import lineal_path, two_point_stats

from ..structures import blobs

LABELS = blobs(2, (16, 16), 2)
GRID = Grid((16, 16), phases=2, periodic=True)
FIXED = np.where(np.arange(16)[:, None] < 2, LABELS, 255).astype(np.uint8)
MASK = np.ones((16, 16), np.float32)
MASK[:3] = 0
LINEAL_PATH = np.asarray(lineal_path(LABELS, phases=2, periodic=True))


@pytest.fixture(autouse=True)
def every_warning_is_an_error():
    """Raise every warning as an error; without `set_warn_always`, torch would warn only once per process."""
    torch.set_warn_always(True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    torch.set_warn_always(False)


def read_only(array):
    frozen = np.array(array)
    frozen.flags.writeable = False
    return frozen


def memory_map(array, folder):
    np.save(folder / "array.npy", array)
    return np.load(folder / "array.npy", mmap_mode="r")


def statistics(mask=None):
    return np.asarray(two_point_stats(LABELS, phases=2, periodic=True, mask=mask))


def from_statistics(array, name):
    """Structures from the 2-point statistics of `LABELS`, where the array called `name` is replaced by `array`."""
    arrays = {"statistics": statistics(MASK if name == "mask" else None)}
    if name == "also":
        arrays["also"] = [Wanted("lineal_path", array)]
    else:
        arrays[name] = array
    if name == "volume_fractions":
        arrays.update(statistics=None, also=[Wanted("lineal_path", LINEAL_PATH)])
    return reconstruct(**arrays, grid=GRID, max_iter=3, random_state=0).structures


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("statistics", statistics()),
        ("volume_fractions", np.array([0.5, 0.5])),
        ("mask", MASK),
        ("fixed", FIXED),
        ("init", LABELS),
        ("also", LINEAL_PATH),
    ],
)
def test_reconstruct_accepts_arrays_that_cannot_be_written_to(name, array, tmp_path):
    expected = from_statistics(array.copy(), name)
    np.testing.assert_array_equal(from_statistics(read_only(array), name), expected)
    np.testing.assert_array_equal(from_statistics(memory_map(array, tmp_path), name), expected)


VOLUME = Grid((8, 8, 8), phases=2, periodic=True)
SECTION = np.asarray(two_point_stats(blobs(1, (16, 16), 2), phases=2, periodic=True, cutoff=3))


def from_section(array, name):
    """A volume from one section, where the array called `name` is replaced by `array`."""
    arrays = {"sections": SECTION, name: array}
    if name == "planes":
        arrays = {"sections": {"yx": array, "zx": array}}
    return reconstruct_volume(**arrays, grid=VOLUME, max_iter=3, random_state=0).structures


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("sections", SECTION),
        ("planes", SECTION),
        ("fixed", np.full((8, 8, 8), 255, np.uint8)),
        ("init", blobs(1, (8, 8, 8), 2)),
    ],
)
def test_reconstruct_volume_accepts_arrays_that_cannot_be_written_to(name, array, tmp_path):
    expected = from_section(array.copy(), name)
    np.testing.assert_array_equal(from_section(read_only(array), name), expected)
    np.testing.assert_array_equal(from_section(memory_map(array, tmp_path), name), expected)
