"""Arrays written in blocks, which appear only when they are complete."""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray
import zarr

from matvae.errors import StoreError
from matvae.jobs.files import arrays
from matvae.jobs.files.arrays import new_array


def test_blocks_form_one_array(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "CHUNK_BYTES", 3 * 5 * 4)
    values = np.random.default_rng(0).normal(size=(10, 5)).astype(np.float32)
    with new_array(tmp_path / "z.zarr", "latent", (10, 5), ("sample", "component"), {"model": "m"}) as writer:
        for start in (0, 4, 8):
            writer.append(values[start : start + 4])
        writer.add("vf", np.linspace(0, 1, 10), "sample", unit="1")
    with xarray.open_zarr(tmp_path / "z.zarr", consolidated=False) as group:
        np.testing.assert_array_equal(group["latent"].values, values)
        assert group["latent"].dims == ("sample", "component")
        assert group["latent"].encoding["chunks"] == (3, 5)
        assert group["vf"].attrs["unit"] == "1"
        assert group.attrs["matvae"] == {"schema": 1, "model": "m"}


def test_a_flipped_bit_is_detected_on_reading(tmp_path):
    with new_array(tmp_path / "z.zarr", "latent", (50, 5), ("sample", "component"), {}) as writer:
        writer.append(np.random.default_rng(0).normal(size=(50, 5)))
    chunk = next(file for file in (tmp_path / "z.zarr" / "latent").rglob("*") if file.name == "0" and file.is_file())
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 4
    chunk.write_bytes(bytes(data))
    with pytest.raises(RuntimeError, match="Restored data doesn't match checksum"):
        zarr.open_group(tmp_path / "z.zarr")["latent"][...]


@pytest.mark.parametrize(
    ("bytes_per_sample", "block", "samples"),
    [
        (17_000, 160, 160),  # a block is one chunk
        (200_000, 160, 40),  # several chunks make up a block
        (16, 160, 524_160),  # too small: many blocks share a chunk
        (20 << 20, 1, 1),
        (4, 1, 2 << 20),
    ],
)
def test_chunks_are_parts_of_blocks_unless_these_are_small(bytes_per_sample, block, samples):
    assert arrays._samples_per_chunk(bytes_per_sample, block) == samples


def test_other_processes_can_write_whole_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "CHUNK_BYTES", 4 * 5 * 4)
    monkeypatch.setattr(arrays, "LEAST_CHUNK_BYTES", 1)
    values = np.random.default_rng(0).normal(size=(10, 5)).astype(np.float32)
    with new_array(tmp_path / "z.zarr", "latent", (10, 5), ("sample", "component"), {}, block=8) as writer:
        assert writer.has_whole_chunks(8)
        assert not writer.has_whole_chunks(6)
        elsewhere = zarr.open_array(writer.path / "latent")
        elsewhere[:8] = values[:8]
        writer.note(8)
        # Left by a process that was killed while it wrote.
        (writer.path / "latent" / "c" / "0" / "0.1234.partial").write_bytes(b"x")
        writer.write(8, values[8:])
    group = zarr.open_group(tmp_path / "z.zarr", mode="r")
    np.testing.assert_array_equal(group["latent"][...], values)
    assert not list((tmp_path / "z.zarr").rglob("*.partial"))


def test_an_incomplete_array_is_removed(tmp_path):
    with (
        pytest.raises(StoreError, match="must hold 3 samples, but only 2 were written"),
        new_array(tmp_path / "z.zarr", "latent", (3, 5), ("sample", "component"), {}) as writer,
    ):
        writer.append(np.zeros((2, 5)))
    assert os.listdir(tmp_path) == []
