"""Every file of a group is read, and what is damaged is named with its samples."""

from __future__ import annotations

import json

import numpy as np
import pytest
import zarr

from matvae import Grid
from matvae.data import layout, save_structures
from matvae.data.verify import verify_group
from matvae.errors import StoreError


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Ten structures of 4 x 6 voxels in files of four samples, with one property."""
    monkeypatch.setattr(layout, "SHARD_VOXELS", 4 * 24)
    monkeypatch.setattr(layout, "CHUNK_VOXELS", 2 * 24)
    X = np.random.default_rng(0).integers(0, 3, (10, 4, 6), dtype=np.uint8)
    save_structures(tmp_path / "s.zarr", X, grid=Grid((4, 6), phases=3), properties={"a": np.arange(10.0)})
    return tmp_path / "s.zarr"


def test_a_sound_store_has_no_damage(store):
    seen = []
    assert verify_group(store, lambda done, total: seen.append((done, total))) == (4, [])
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_each_kind_of_damage_is_named_with_its_samples(store):
    flipped = store / "phase" / "c" / "1" / "0" / "0"
    content = bytearray(flipped.read_bytes())
    content[8:12] = bytes(byte ^ 0xFF for byte in content[8:12])
    flipped.write_bytes(content)
    (store / "phase" / "c" / "2" / "0" / "0").write_bytes(b"")
    (store / "a" / "c" / "0").unlink()
    n_files, found = verify_group(store)
    assert n_files == 4
    assert {(each.array, each.file.relative_to(store).as_posix(), each.samples) for each in found} == {
        ("phase", "phase/c/1/0/0", (4, 8)),
        ("phase", "phase/c/2/0/0", (8, 10)),
        ("a", "a/c/0", (0, 10)),
    }
    reasons = {each.file.parts[-3]: each.reason for each in found}
    assert reasons["2"] == "it is empty"
    assert reasons["a"] == "it is missing"
    assert "rror" in reasons["1"]


def test_labels_that_are_no_phases_are_damage(store):
    # As from a program that writes zarr but does not know what 255 means.
    zarr.open_array(store / "phase", mode="r+")[9, 0, 0] = 255
    _, found = verify_group(store)
    assert [(each.samples, "255" in each.reason) for each in found] == [((8, 10), True)]


def test_damaged_metadata_are_an_error(store):
    (store / "phase" / "zarr.json").write_text("{")
    with pytest.raises(StoreError, match=r"metadata of .* cannot be read"):
        verify_group(store)


def test_a_claim_of_many_samples_is_refused_at_once(store):
    file = store / "phase" / "zarr.json"
    metadata = json.loads(file.read_text())
    metadata["shape"][0] = 10**15
    file.write_text(json.dumps(metadata))
    with pytest.raises(StoreError, match="are missing"):
        verify_group(store)
