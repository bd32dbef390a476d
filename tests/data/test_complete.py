"""Missing files of a store are written again, bit for bit, and nothing else is touched."""

from __future__ import annotations

import shutil

import pytest

from matvae.data import layout, open_structures
from matvae.data.datasets import make_dataset
from matvae.errors import InputError, StoreError


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Make the data set ``lines`` of eleven structures of 16 x 20 voxels in files of four samples."""
    monkeypatch.setattr(layout, "SHARD_VOXELS", 4 * 320)
    monkeypatch.setattr(layout, "CHUNK_VOXELS", 2 * 320)

    def make(**options):
        arguments = {"n": 11, "size": (16, 20), "seed": 3, **options}
        make_dataset("lines", tmp_path / "s.zarr", **arguments)
        return tmp_path / "s.zarr"

    return make


def contents(store):
    return {file.relative_to(store): file.read_bytes() for file in store.rglob("*") if file.is_file()}


def test_a_store_is_completed_bit_for_bit(make):
    store = make()
    whole = contents(store)
    untouched = (store / "phase" / "c" / "0" / "0" / "0").stat().st_mtime_ns
    (store / "phase" / "c" / "2" / "0" / "0").unlink()
    shutil.rmtree(store / "n_lines" / "c")
    make(resume=True)
    assert contents(store) == whole
    assert (store / "phase" / "c" / "0" / "0" / "0").stat().st_mtime_ns == untouched


def test_a_store_that_does_not_exist_is_made(make):
    assert len(open_structures(make(resume=True))) == 11


@pytest.mark.parametrize("options", [{"seed": 4}, {"n": 12}, {"size": (20, 16)}])
def test_other_arguments_are_refused(make, options):
    store = make()
    (store / "phase" / "c" / "2" / "0" / "0").unlink()
    before = contents(store)
    with pytest.raises(InputError, match="holds something other"):
        make(**options, resume=True)
    assert contents(store) == before


def test_other_samples_under_the_same_record_are_refused(make):
    store = make()
    first, second = (store / "phase" / "c" / str(i) / "0" / "0" for i in (0, 1))
    first.write_bytes(second.read_bytes())
    second.unlink()
    with pytest.raises(InputError, match="holds something other"):
        make(resume=True)


def test_damaged_metadata_are_refused(make):
    store = make()
    (store / "zarr.json").write_text("{}")
    with pytest.raises(StoreError, match="cannot be completed"):
        make(resume=True)
    with pytest.raises(InputError, match="measured"):
        make_dataset("alloy", store, resume=True)
