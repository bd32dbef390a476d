from __future__ import annotations

import json
import pickle
import shutil

import dask
import numpy as np
import pytest
import zarr

from matvae import memory
from matvae.data import StoreWriter, open_structures
from matvae.data import layout as layout_module
from matvae.data.verify import verify_group
from matvae.errors import InputError, StoreError
from matvae.grid import Grid

GRID = Grid((16, 16), phases=2, voxel_size=2.0, unit="nm", periodic=True)
LABELS = np.random.default_rng(0).integers(0, 2, (10, 16, 16)).astype(np.uint8)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(layout_module, "SHARD_VOXELS", 4 * GRID.n_voxels)
    path = tmp_path / "s.zarr"
    with StoreWriter(path, GRID, n_samples=10, property_names=["E"], attributes={"note": "x"}) as writer:
        writer.append(LABELS, {"E": np.arange(10) / 3})
    return path


def edit(store, change, name="."):
    file = store / name / "zarr.json"
    metadata = json.loads(file.read_text())
    change(metadata)
    file.write_text(json.dumps(metadata))


def test_a_store_is_opened_with_whole_shards_as_chunks(store):
    structures = open_structures(store)
    assert structures.grid == GRID
    assert structures.data.chunks == ((4, 4, 2), (16,), (16,))
    np.testing.assert_array_equal(structures.data.compute(), LABELS)
    np.testing.assert_array_equal(structures.properties["E"], np.arange(10) / 3)
    assert structures.attributes == {"note": "x"}


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "processes"])
def test_pickled_structures_are_read_by_every_scheduler(store, scheduler):
    data = pickle.loads(pickle.dumps(open_structures(store))).data
    with dask.config.set(scheduler=scheduler, num_workers=2):
        np.testing.assert_array_equal(data[3:9, 2:].compute(), LABELS[3:9, 2:])


def test_flipped_bits_never_change_voxels_unnoticed(store):
    data = open_structures(store).data[:4]
    shard = store / "phase" / "c" / "0" / "0" / "0"
    good = shard.read_bytes()
    rng = np.random.default_rng(1)
    index = range(len(good) - (16 * 4 + 4), len(good))
    positions = [*rng.integers(0, len(good), 150), *rng.choice(index, 50)]
    n_refused = 0
    for position in positions:
        bad = bytearray(good)
        bad[position] ^= 1 << int(rng.integers(8))
        shard.write_bytes(bad)
        try:
            labels = data.compute(scheduler="synchronous")
        except StoreError:
            n_refused += 1
        else:
            np.testing.assert_array_equal(labels, LABELS[:4])
    assert n_refused > 190


def test_a_flipped_bit_in_a_property_is_detected_on_opening(store):
    chunk = store / "E" / "c" / "0"
    bad = bytearray(chunk.read_bytes())
    bad[len(bad) // 2] ^= 4
    chunk.write_bytes(bad)
    with pytest.raises(StoreError, match=r"property 'E' of .* cannot be read"):
        open_structures(store)


@pytest.mark.parametrize("how", ["missing", "empty"])
@pytest.mark.parametrize(("name", "message"), [("phase/c/1/0/0", "1 of the 3 shards"), ("E/c/0", "1 of the 1 chunks")])
def test_missing_files_are_counted_on_opening(store, name, message, how):
    (store / name).unlink() if how == "missing" else (store / name).write_bytes(b"")
    with pytest.raises(StoreError, match=rf"incomplete: {message} .* missing or empty\. Restore the store from a copy"):
        open_structures(store)


def test_a_truncated_shard_is_refused_when_read(store):
    structures = open_structures(store)
    shard = store / "phase" / "c" / "2" / "0" / "0"
    shard.write_bytes(shard.read_bytes()[:-9])
    np.testing.assert_array_equal(structures.data[:8].compute(), LABELS[:8])
    with pytest.raises(StoreError, match=r"at voxels \[8:10, 0:16, 0:16\]"):
        structures.data[8:].compute()


def test_invalid_labels_are_named_with_their_samples(store):
    zarr.open_array(store / "phase", mode="r+")[5, 3] = 7
    structures = open_structures(store)
    np.testing.assert_array_equal(structures.data[:4].compute(), LABELS[:4])
    with pytest.raises(StoreError, match=r"labels 0 to 1, but 16 voxels of sample 5 hold 7"):
        structures.data.compute()


@pytest.mark.parametrize(
    ("change", "name", "message"),
    [
        (
            lambda m: m["attributes"]["matvae"].update(schema=3),
            ".",
            r"has schema 3, but this version of matvae reads schema 1, and 2 with a mask",
        ),
        (lambda m: m["attributes"]["matvae"].pop("schema"), ".", "should state its schema version"),
        (lambda m: m["attributes"].update(matvae=3), ".", "should state its schema version"),
        (lambda m: m["attributes"]["matvae"].pop("periodic"), ".", r"lacks the attributes \['periodic'\]"),
        (lambda m: m["attributes"]["matvae"].update(phases=0), ".", "does not describe a set of structures"),
        (
            lambda m: m["attributes"]["matvae"].update(voxel_size=[1]),
            ".",
            "does not describe a set of structures",
        ),
        (
            lambda m: m["attributes"]["matvae"].update(phases=1),
            ".",
            "should contain an array 'field', but contains",
        ),
        (lambda m: m.update(data_type="int8", fill_value=0), "phase", "should be uint8, but is int8"),
        (lambda m: m.update(dimension_names=["z", "y", "x"]), "phase", "first dimension name should be 'sample'"),
        (lambda m: m.update(shape=[9]), "E", "should have 10 values"),
        (lambda m: m.update(shape=[30, 16, 16]), "phase", "5 of the 8 shards"),
        (lambda m: m.pop("codecs"), "phase", "metadata cannot be read"),
    ],
)
def test_invalid_metadata_is_refused(store, change, name, message):
    edit(store, change, name)
    with pytest.raises(StoreError, match=message):
        open_structures(store)


@pytest.mark.parametrize("name", ["phase", "E"])
def test_a_missing_or_damaged_array_is_not_skipped(store, name):
    file = store / name / "zarr.json"
    good = file.read_text()
    for bad in (good[:-9], good.replace("blosc", "blocs").replace("zstd", "zsdt")):
        file.write_text(bad)
        with pytest.raises(StoreError, match="metadata cannot be read"):
            open_structures(store)
    file.unlink()
    with pytest.raises(StoreError, match="metadata cannot be read"):
        open_structures(store)


def test_metadata_that_is_not_json_is_refused(store):
    file = store / "zarr.json"
    file.write_text(file.read_text()[:-30])
    with pytest.raises(StoreError, match=r"zarr\.json should describe .* damaged"):
        open_structures(store)


def test_flipped_bits_in_the_metadata_never_change_structures_unnoticed(store):
    rng = np.random.default_rng(2)
    for file in (store / "zarr.json", store / "phase" / "zarr.json"):
        good = file.read_bytes()
        for position in rng.integers(0, len(good), 60):
            bad = bytearray(good)
            bad[position] ^= 0x80
            file.write_bytes(bad)
            try:
                structures = open_structures(store)
                np.testing.assert_array_equal(structures.data.compute(scheduler="synchronous"), LABELS)
            except StoreError:
                continue
        file.write_bytes(good)


def test_reading_a_deleted_store_raises_a_store_error(store):
    data = open_structures(store).data
    shutil.rmtree(store)
    with pytest.raises(StoreError, match="cannot be read"):
        data.compute()


@pytest.mark.parametrize("name", ["../other", "..", "a/b", "/tmp/other", "..\\other"])
def test_names_of_arrays_are_no_paths(store, name):
    other = zarr.create_array(store.parent / "other", shape=(10,), chunks=(5,), dtype="f8", dimension_names=("sample",))
    other[:] = 1
    described = json.loads((store.parent / "other" / "zarr.json").read_text())
    edit(store, lambda root: root["consolidated_metadata"]["metadata"].update({name: described}))
    for read in (open_structures, verify_group):
        with pytest.raises(StoreError, match=r"metadata .*cannot be read"):
            read(store)


def test_other_arrays_in_the_group_are_ignored(store):
    zarr.open_group(store, mode="r+", use_consolidated=False).create_array("preview", data=np.zeros((2, 2)))
    assert set(open_structures(store).properties) == {"E"}


@pytest.mark.parametrize("is_shard", [False, True])
def test_chunks_and_shards_that_do_not_fit_into_memory_are_refused(store, is_shard, monkeypatch):
    def enlarge(metadata):
        metadata["shape"] = [400] * 3
        metadata["chunk_grid"]["configuration"]["chunk_shape"] = [400] * 3
        metadata["codecs"][0]["configuration"]["chunk_shape"] = [2, 400, 400] if is_shard else [400] * 3

    edit(store / "phase", enlarge)
    monkeypatch.setattr(memory, "free_memory", lambda device: 1_000_000)
    with pytest.raises(InputError, match=r"Each chunk of .*\(phase\).* needs about \d+ MB of memory"):
        open_structures(store)


def test_an_absurd_number_of_structures_is_refused_without_looking_for_each(store):
    edit(store / "phase", lambda metadata: metadata.update(shape=[10**15, 16, 16]))
    with pytest.raises(StoreError, match=r"is incomplete: \d{14,} of the \d{15} shards"):
        open_structures(store)
