"""Exact round trips of latents through every format, and refusal of malformed tables."""

from __future__ import annotations

import os

import numpy as np
import pytest
import zarr

from matvae.errors import InputError, StoreError
from matvae.jobs.files.latents import latent_format, new_latents, read_latents

Z = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32) * np.float32(1e-3)
NAMES = ("z0", "z1", "z2")


def write(path, values=Z):
    with new_latents(
        path,
        len(values),
        NAMES,
        attributes={"model": "m.matvae"},
        properties={"vf": np.arange(len(values), dtype=float)},
        units={"vf": "percent"},
    ) as put:
        put(values[:4])
        put(values[4:])


@pytest.mark.parametrize("suffix", [".zarr", ".npy", ".csv"])
def test_round_trip_is_exact(tmp_path, suffix):
    path = tmp_path / f"z{suffix}"
    write(path)
    latents = read_latents(path)
    assert latents.dtype == np.float32
    np.testing.assert_array_equal(latents, Z)
    assert os.listdir(tmp_path) == [path.name]


def test_csv_has_a_header_and_zarr_keeps_properties(tmp_path):
    write(tmp_path / "z.csv")
    assert (tmp_path / "z.csv").read_text().splitlines()[0] == "z0,z1,z2"
    write(tmp_path / "z.zarr")
    group = zarr.open_group(tmp_path / "z.zarr", mode="r")
    np.testing.assert_array_equal(group["vf"][...], np.arange(7.0))
    assert group["vf"].attrs["unit"] == "percent"
    assert group.attrs["matvae"]["model"] == "m.matvae"


@pytest.mark.parametrize("suffix", [".zarr", ".npy", ".csv"])
def test_nothing_remains_of_an_interrupted_write(tmp_path, suffix):
    def interrupted():
        with new_latents(tmp_path / f"z{suffix}", 7, NAMES, attributes={}, properties={}, units={}) as put:
            put(Z[:4])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert os.listdir(tmp_path) == []


def test_a_single_sample_is_read_as_a_table(tmp_path):
    write(tmp_path / "z.csv", Z[:1])
    np.testing.assert_array_equal(read_latents(tmp_path / "z.csv"), Z[:1])


def test_the_columns_of_a_csv_go_by_name(tmp_path):
    path = tmp_path / "z.csv"
    path.write_text("z2,z0,z1\n3,1,2\n6,4,5\n")
    np.testing.assert_array_equal(read_latents(path), [[1, 2, 3], [4, 5, 6]])
    # As spreadsheets write it, with a byte order mark.
    path.write_text("z3,z1,z2\n3,1,2\n", encoding="utf-8-sig")
    np.testing.assert_array_equal(read_latents(path), [[1, 2, 3]])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("z.csv", "z0,z1\n1,x\n", "not a table of numbers"),
        ("z.csv", "z0,z1\n1,2\n3\n", "not a table of numbers"),
        ("z.csv", "z0,z1\n1,nan\n", r"NaN or infinity, first in sample 0 \(1 samples"),
        ("z.csv", "sample,z0,z1\n0,1,2\n", r"columns of .*z.csv: .*there is also 'sample'"),
        ("z.csv", "z0,z2\n1,2\n", "the column z1 is missing"),
        ("z.npy", "no array", "not a readable .npy array"),
        ("z.txt", "", "Choose one of these suffixes"),
    ],
)
def test_bad_tables_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_latents(tmp_path / name)


def test_arrays_that_are_not_latents_are_refused(tmp_path):
    np.save(tmp_path / "z.npy", np.zeros((2, 3, 4)))
    with pytest.raises(InputError, match=r"shape \(2, 3, 4\)"):
        read_latents(tmp_path / "z.npy")
    np.save(tmp_path / "z.npy", np.empty((0, 3)))
    with pytest.raises(InputError, match=r"shape \(0, 3\)"):
        read_latents(tmp_path / "z.npy")
    zarr.open_group(tmp_path / "z.zarr", mode="w")
    with pytest.raises(InputError, match="no array 'latent'"):
        read_latents(tmp_path / "z.zarr")
    with pytest.raises(InputError, match="There is no file"):
        read_latents(tmp_path / "absent.npy")


def test_damaged_latents_raise_a_store_error(tmp_path):
    write(tmp_path / "z.zarr")
    chunk = next(file for file in (tmp_path / "z.zarr" / "latent").rglob("*") if file.name == "0" and file.is_file())
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="are damaged"):
        read_latents(tmp_path / "z.zarr")
    chunk.unlink()
    with pytest.raises(StoreError, match="1 of 1 chunks"):
        read_latents(tmp_path / "z.zarr")


def test_the_suffix_determines_the_format():
    assert latent_format("A.CSV") == ".csv"
