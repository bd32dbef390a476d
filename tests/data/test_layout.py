from __future__ import annotations

import math

import numpy as np
import pytest
import zarr

from matvae.data import layout as layout_module
from matvae.data.layout import (
    Layout,
    count_files,
    count_missing_files,
    further_attributes,
    is_store,
    root_attributes,
)
from matvae.errors import StoreError
from matvae.grid import Grid


@pytest.mark.parametrize(
    ("shape", "n", "chunks", "shards"),
    [
        ((64, 64), 10_000, (256, 64, 64), (4096, 64, 64)),
        ((64, 64, 64), 10_000, (4, 64, 64, 64), (64, 64, 64, 64)),
        ((64, 64), 7, (7, 64, 64), (7, 64, 64)),
        ((256, 256, 256), 3, (1, 256, 256, 256), (1, 256, 256, 256)),
        ((400, 400, 400), 3, (1, 256, 256, 256), None),
        ((20_000, 1000), 1, (1, 4096, 1000), None),
    ],
)
def test_samples_fill_shards_and_large_samples_are_split_in_space(shape, n, chunks, shards):
    layout = Layout.of(Grid(shape), n)
    assert (layout.chunks, layout.shards, layout.file_shape) == (chunks, shards, shards or chunks)
    assert (layout.name, layout.dtype.str, layout.fill_value) == ("phase", "|u1", 255)


@pytest.mark.parametrize(
    ("n", "chunks", "shards"), [(10_000, 16, 4096), (100, 16, 112), (7, 7, 7), (4096 + 1, 16, 4096)]
)
def test_small_samples_share_chunks(monkeypatch, n, chunks, shards):
    monkeypatch.setattr(layout_module, "CHUNK_VOXELS", 2**16)
    layout = Layout.of(Grid((64, 64)), n)
    assert (layout.chunks, layout.shards) == ((chunks, 64, 64), (shards, 64, 64))


def test_a_continuous_field_is_stored_as_float32():
    layout = Layout.of(Grid((8,), phases=1), 2)
    assert (layout.name, layout.dtype.name) == ("field", "float32")
    assert math.isnan(layout.fill_value)


@pytest.mark.parametrize(("shards", "n_files"), [((4, 6), 3 * 2), (None, 5 * 4)])
def test_missing_and_empty_files_of_an_array_are_counted(tmp_path, shards, n_files):
    array = zarr.create_array(tmp_path / "a", shape=(10, 12), chunks=(2, 3), shards=shards, dtype="u1", fill_value=255)
    assert count_files(array) == n_files
    assert count_missing_files(array, tmp_path / "a") == n_files
    array[:4, :6] = np.ones((4, 6))
    n_written = 1 if shards else 4
    assert count_missing_files(array, tmp_path / "a") == n_files - n_written
    (tmp_path / "a" / "c" / "0" / "0").write_bytes(b"")
    assert count_missing_files(array, tmp_path / "a") == n_files - n_written + 1


def test_further_attributes_are_recovered():
    attributes = {"dataset": {"name": "lines", "parameters": {"size": [64, 64]}}}
    assert further_attributes(root_attributes(Grid((4,)), attributes)["matvae"]) == attributes


def test_a_store_is_distinguished_from_other_folders(tmp_path):
    zarr.create_group(tmp_path / "ours", attributes={"matvae": {}})
    zarr.create_group(tmp_path / "other", attributes={"ome": {}})
    zarr.create_group(tmp_path / "v2", zarr_format=2)
    assert is_store(tmp_path / "ours")
    assert not any(is_store(tmp_path / name) for name in ("other", "v2", "nothing"))
    (tmp_path / "other" / "zarr.json").write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        is_store(tmp_path / "other")
    (tmp_path / "other" / "zarr.json").write_text("[]")
    with pytest.raises(StoreError, match="cannot be read"):
        is_store(tmp_path / "other")
