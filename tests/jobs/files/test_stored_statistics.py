"""Stored statistics are opened with their metadata; damaged files and other contents are refused."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import zarr

from matvae import Grid, save_structures, two_point_stats
from matvae.errors import InputError, StoreError
from matvae.jobs import compute_statistics
from matvae.jobs.files.stored_statistics import open_statistics
from matvae.reconstruction import reconstruct


@pytest.fixture
def stored(tmp_path):
    """Seven structures of three phases, 12 x 9 voxels, and their non-periodic and periodic statistics."""
    X = np.random.default_rng(0).integers(0, 3, (7, 12, 9)).astype(np.uint8)
    grid = Grid((12, 9), phases=3, voxel_size=0.5, unit="micrometer", periodic=False)
    save_structures(tmp_path / "x.zarr", X, grid=grid, properties={"k": np.arange(7.0)}, units={"k": "GPa"})
    compute_statistics(tmp_path / "x.zarr", tmp_path / "s.zarr")
    compute_statistics(tmp_path / "x.zarr", tmp_path / "p.zarr", periodic=True, correlations=[(1, 1), (2, 2)])
    return tmp_path, X, grid


def test_a_group_describes_its_statistics(stored):
    folder, X, grid = stored
    opened = open_statistics(folder / "s.zarr")
    assert (len(opened), opened.shape) == (7, (23, 17, 3))
    assert opened.grid == grid
    assert tuple(opened.correlations) == ((1, 1), (1, 2), (2, 2))
    np.testing.assert_allclose(opened.read(2, 5), two_point_stats(X[2:5], phases=3, periodic=False), atol=1e-6)
    np.testing.assert_array_equal(opened.properties["k"], np.arange(7.0))
    assert opened.units == {"k": "GPa"}
    other = open_statistics(folder / "p.zarr")
    assert (other.grid.periodic, tuple(other.correlations)) == (True, ((1, 1), (2, 2)))


@pytest.mark.parametrize(
    ("name", "options", "shape", "lags"),
    [
        ("p", {"size": 20}, (20, 20), (11, 9)),
        ("p", {"size": (12, 20)}, (12, 20), (11, 9)),
        ("p", {"size": (12, 9)}, (12, 9), (12, 9)),
        ("s", {"size": (24, 9)}, (24, 9), (23, 17)),
        ("s", {"size": (5, 9)}, (5, 9), (9, 17)),
        ("s", {"size": 64, "periodic": True}, (64, 64), (23, 17)),
        ("s", {"periodic": True}, (12, 9), (11, 9)),
        ("p", {"periodic": False}, (12, 9), (11, 9)),
    ],
)
def test_lags_that_exist_on_the_grid_are_kept(stored, name, options, shape, lags):
    folder, X, _ = stored
    opened = open_statistics(folder / f"{name}.zarr", **options)
    assert (opened.grid.shape, opened.shape[:-1]) == (shape, lags)
    block = opened.read(0, 7)
    pairs = tuple(opened.correlations)
    whole = two_point_stats(X, phases=3, periodic=name == "p", correlations=pairs)
    centre = [n // 2 for n in whole.shape[1:-1]]
    for r in ((0, 0), (1, -2), (-3, 4)):
        kept_lag = tuple(n // 2 + step for n, step in zip(lags, r, strict=True))
        whole_lag = tuple(m + step for m, step in zip(centre, r, strict=True))
        np.testing.assert_allclose(block[(slice(None), *kept_lag)], whole[(slice(None), *whole_lag)], atol=1e-6)
    # `reconstruct` accepts these lags.
    reconstruct(block, grid=opened.grid, correlations=pairs, max_iter=1)


def test_an_array_needs_information_on_its_structures(tmp_path):
    f = two_point_stats((np.random.default_rng(0).random((3, 8, 8)) < 0.4).astype(np.uint8))
    np.save(tmp_path / "f.npy", f)
    opened = open_statistics(tmp_path / "f.npy", size=8, periodic=True, phases=2)
    assert opened.grid == Grid((8, 8))
    np.testing.assert_array_equal(opened.read(1, 3), f[1:3])
    for options, missing in [
        ({}, "size and periodic and phases are"),
        ({"size": 8, "phases": 2}, "periodic is missing"),
    ]:
        with pytest.raises(InputError, match=missing):
            open_statistics(tmp_path / "f.npy", **options)
    with pytest.raises(InputError, match="size must be one number of voxels, or one for each of the 2 axes"):
        open_statistics(tmp_path / "f.npy", size=(8, 8, 8), periodic=True, phases=2)
    np.save(tmp_path / "i.npy", np.zeros((3, 8, 8, 1), dtype=int))
    (tmp_path / "t.npy").write_text("no array")
    for name, message in [("i.npy", "type int64"), ("t.npy", "not a readable .npy"), ("no.npy", "no file or store")]:
        with pytest.raises(InputError, match=message):
            open_statistics(tmp_path / name, size=8, periodic=True, phases=2)


def test_anything_but_two_point_statistics_is_refused(stored):
    folder, _, _ = stored
    compute_statistics(folder / "x.zarr", folder / "l.zarr", statistic="lineal_path")
    (folder / "f.csv").write_text("1,2\n")
    for name, message in [
        ("l.zarr", "holds lineal_path"),
        ("x.zarr", "holds no 2-point statistics"),
        ("f.csv", r"stored as .zarr or .npy"),
    ]:
        with pytest.raises(InputError, match=message):
            open_statistics(folder / name)
    with pytest.raises(InputError, match="itself states the number of phases"):
        open_statistics(folder / "s.zarr", phases=3)


def test_damage_is_detected(stored):
    folder, _, _ = stored
    opened = open_statistics(folder / "s.zarr")
    chunk = next(file for file in (folder / "s.zarr" / "statistics" / "c").rglob("*") if file.is_file())
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 255
    chunk.write_bytes(bytes(data))
    with pytest.raises(StoreError, match="damaged"):
        opened.read(0, 7)
    chunk.unlink()
    with pytest.raises(StoreError, match="1 of 1 chunks are missing"):
        open_statistics(folder / "s.zarr")
    del zarr.open_group(folder / "p.zarr").attrs["matvae"]
    shutil.copytree(folder / "p.zarr", folder / "q.zarr")
    with pytest.raises(InputError, match="holds no 2-point statistics"):
        open_statistics(folder / "q.zarr")
