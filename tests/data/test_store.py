from __future__ import annotations

import json
import os
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import zarr

from matvae.data import StoreWriter, open_structures
from matvae.data import layout as layout_module
from matvae.errors import InputError, StoreError
from matvae.grid import Grid

GRID = Grid((8, 9), phases=3, voxel_size=(0.5, 0.25), unit="micrometer", origin=(1.5, -2), periodic=True)


def labels(n, seed=0):
    return np.random.default_rng(seed).integers(0, 3, (n, *GRID.shape)).astype(np.uint8)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    """Store four structures per shard, so that a small set has several shards."""
    monkeypatch.setattr(layout_module, "SHARD_VOXELS", 4 * GRID.n_voxels)


def write(path, blocks, n, **more):
    with StoreWriter(path, GRID, n_samples=n, **more) as writer:
        for block in blocks:
            writer.append(block)


def names(folder):
    return sorted(entry.name for entry in Path(folder).iterdir())


@pytest.mark.parametrize("sizes", [(10,), (4, 4, 2), (1,) * 10, (3, 7), (9, 0, 1)])
def test_blocks_of_any_size_are_stored_in_order(tmp_path, sizes):
    values = labels(10)
    write(tmp_path / "s.zarr", np.split(values, np.cumsum(sizes)[:-1]), 10)
    np.testing.assert_array_equal(open_structures(tmp_path / "s.zarr").data.compute(), values)
    assert names(tmp_path) == ["s.zarr"]


@pytest.mark.parametrize("size", [1, 3, 4, 6])
def test_the_callers_array_may_be_used_again(tmp_path, size):
    values, buffer = labels(12), np.empty((size, *GRID.shape), dtype=np.uint8)
    with StoreWriter(tmp_path / "s.zarr", GRID, n_samples=12) as writer:
        for block in np.split(values, 12 // size):
            buffer[:] = block
            writer.append(buffer)
            assert (buffer == block).all()
            buffer[:] = 0
    np.testing.assert_array_equal(open_structures(tmp_path / "s.zarr").data.compute(), values)


def test_the_store_has_the_documented_format(tmp_path):
    path = tmp_path / "s.zarr"
    writer = StoreWriter(
        path,
        GRID,
        n_samples=6,
        property_names=["E"],
        units={"E": "GPa"},
        attributes={"dataset": {"name": "lines"}},
    )
    assert writer.shard_samples == 4
    with writer:
        writer.append(labels(6), {"E": np.arange(6)})
    group = zarr.open_group(path, mode="r")
    phase = group["phase"]
    assert group.metadata.zarr_format == 3
    assert (phase.dtype, phase.shape, phase.chunks, phase.shards) == (
        np.uint8,
        (6, 8, 9),
        (4, 8, 9),
        (4, 8, 9),
    )
    assert phase.fill_value == 255
    assert phase.metadata.dimension_names == ("sample", "y", "x")
    assert [codec.to_dict()["name"] for codec in phase.compressors] == ["blosc", "crc32c"]
    assert dict(group.attrs) == {
        "matvae": {
            "schema": 1,
            "voxel_size": [0.5, 0.25],
            "unit": "micrometer",
            "origin": [1.5, -2.0],
            "periodic": True,
            "phases": 3,
            "dataset": {"name": "lines"},
        }
    }
    assert group["E"].dtype == np.float64
    assert group["E"].metadata.dimension_names == ("sample",)
    assert dict(group["E"].attrs) == {"unit": "GPa"}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("how", [{}, {"consolidated": False}])
def test_xarray_and_dask_open_a_store_directly(tmp_path, how):
    import xarray

    path, values = tmp_path / "s.zarr", labels(6)
    with StoreWriter(path, GRID, n_samples=6, property_names=["E"], units={"E": "GPa"}) as writer:
        writer.append(values, {"E": np.arange(6)})
    with xarray.open_zarr(path, **how) as data:
        assert data["phase"].dims == ("sample", "y", "x")
        assert data["phase"].dtype == np.uint8
        np.testing.assert_array_equal(data["phase"].values, values)
        assert data["E"].attrs["unit"] == "GPa"
    np.testing.assert_array_equal(da.from_zarr(str(path), component="phase").compute(), values)


def test_files_do_not_depend_on_the_blocks_that_were_appended(tmp_path):
    values = labels(10)
    write(tmp_path / "a.zarr", [values], 10)
    write(tmp_path / "b.zarr", [values[:3], values[3:4], values[4:]], 10)
    files = [file.relative_to(tmp_path / "a.zarr") for file in (tmp_path / "a.zarr").rglob("*") if file.is_file()]
    assert len(files) == 2 + 3
    for file in files:
        assert (tmp_path / "a.zarr" / file).read_bytes() == (tmp_path / "b.zarr" / file).read_bytes()


def test_structures_that_share_chunks_are_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(layout_module, "CHUNK_VOXELS", 2 * GRID.n_voxels)
    for n in (1, 3, 7, 8):
        write(tmp_path / "s.zarr", np.array_split(labels(n), 3), n, overwrite=n > 1)
        np.testing.assert_array_equal(open_structures(tmp_path / "s.zarr").data.compute(), labels(n))


def test_large_structures_are_split_in_space(tmp_path, monkeypatch):
    monkeypatch.setattr(layout_module, "SHARD_VOXELS", 10)
    monkeypatch.setattr(layout_module, "_SPATIAL_CHUNK", {1: 10, 2: 5, 3: 5})
    write(tmp_path / "s.zarr", [labels(2)], 2)
    phase = zarr.open_array(tmp_path / "s.zarr" / "phase", mode="r")
    assert (phase.chunks, phase.shards) == ((1, 5, 5), None)
    opened = open_structures(tmp_path / "s.zarr")
    np.testing.assert_array_equal(opened.data.compute(), labels(2))
    assert opened.data.chunks == ((1, 1), (5, 3), (5, 4))


def append_and_raise(path, error):
    with StoreWriter(path, GRID, n_samples=20, overwrite=True) as writer:
        writer.append(labels(9))
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_an_interrupt_leaves_nothing_behind_and_keeps_an_existing_store(tmp_path, error):
    path = tmp_path / "s.zarr"
    with pytest.raises(error):
        append_and_raise(path, error)
    assert names(tmp_path) == []
    write(path, [labels(2)], 2)
    with pytest.raises(error):
        append_and_raise(path, error)
    assert names(tmp_path) == ["s.zarr"]
    np.testing.assert_array_equal(open_structures(path).data.compute(), labels(2))


def test_a_store_is_replaced_only_when_the_new_one_is_complete(tmp_path):
    path = tmp_path / "s.zarr"
    write(path, [labels(2)], 2)
    with StoreWriter(path, GRID, n_samples=3, overwrite=True) as writer:
        writer.append(labels(3, seed=1))
        np.testing.assert_array_equal(open_structures(path).data.compute(), labels(2))
    np.testing.assert_array_equal(open_structures(path).data.compute(), labels(3, seed=1))
    assert names(tmp_path) == ["s.zarr"]


def test_an_existing_store_is_not_replaced_by_default(tmp_path):
    path = tmp_path / "s.zarr"
    write(path, [labels(2)], 2)
    with pytest.raises(InputError, match=r"s\.zarr exists already\. .*overwrite=True"):
        StoreWriter(path, GRID, n_samples=1)


def test_other_folders_and_files_are_never_replaced(tmp_path):
    zarr.create_group(tmp_path / "other.zarr")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "precious.txt").write_text("x")
    (tmp_path / "file.zarr").write_text("x")
    for name in ("other.zarr", "results", "file.zarr"):
        with pytest.raises(InputError, match="is not a matvae store, so it is not replaced"):
            StoreWriter(tmp_path / name, GRID, n_samples=1, overwrite=True)
    assert (tmp_path / "results" / "precious.txt").read_text() == "x"


def test_missing_write_permission_is_reported(tmp_path, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with (
        pytest.raises(StoreError, match=r"s\.zarr cannot be written: Permission denied"),
        StoreWriter(tmp_path / "s.zarr", GRID, n_samples=1),
    ):
        pass
    assert names(tmp_path) == []


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zarr.Array, "__setitem__", full)
    with pytest.raises(StoreError, match="No space left on device"):
        write(tmp_path / "s.zarr", [labels(8)], 8)
    assert names(tmp_path) == []


def test_a_failed_rename_restores_the_existing_store(tmp_path, monkeypatch):
    path = tmp_path / "s.zarr"
    write(path, [labels(2)], 2)
    rename = Path.rename

    def fail_on_new(self, target):
        if self.parent.suffix == ".partial" and self.name == "s.zarr":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_on_new)
    with pytest.raises(StoreError, match="Input/output error"):
        write(path, [labels(3)], 3, overwrite=True)
    assert names(tmp_path) == ["s.zarr"]
    np.testing.assert_array_equal(open_structures(path).data.compute(), labels(2))


@pytest.mark.parametrize(
    ("block", "properties", "message"),
    [
        (labels(2)[:, :, :5], {}, r"shape \(k, \*\(8, 9\)\) .* shape \(2, 8, 5\)"),
        (labels(6), {}, "k at most 5"),
        (labels(1) + 1, {}, "labels 0 to 2, but"),
        (labels(1).astype(float), {}, "integer labels 0 to 2"),
        (labels(1).astype(int) - 1, {}, "hold -1"),
        (labels(1), {"E": [1.0]}, r"properties \[\] with 1 number.* have the shapes"),
    ],
)
def test_invalid_blocks_are_refused_and_nothing_remains(tmp_path, block, properties, message):
    with pytest.raises(InputError, match=message), StoreWriter(tmp_path / "s", GRID, n_samples=5) as writer:
        writer.append(block, properties)
    assert names(tmp_path) == []


def test_too_few_structures_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"was to hold 9 structures, but only 5 were appended"):
        write(tmp_path / "s.zarr", [labels(5)], 9)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_samples": 0}, "at least one structure"),
        ({"property_names": ["phase"]}, "cannot name a property"),
        ({"property_names": ["x"]}, "cannot name a property"),
        ({"property_names": ["a/b"]}, "cannot name a property"),
        ({"property_names": ["E", "E"]}, "cannot name a property"),
        ({"units": {"E": "GPa"}}, r"Units are given for \['E'\]"),
        ({"attributes": {"phases": 7}}, r"names \['phases'\] are reserved"),
        ({"attributes": {"a": object()}}, "must be representable as JSON"),
        ({"attributes": {"a": float("nan")}}, "must be representable as JSON"),
    ],
)
def test_invalid_parameters_are_refused_at_once(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        StoreWriter(tmp_path / "s.zarr", GRID, **{"n_samples": 1, **arguments})
    assert names(tmp_path) == []


def test_a_missing_parent_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=r"folder .*nowhere does not exist"):
        StoreWriter(tmp_path / "nowhere" / "s.zarr", GRID, n_samples=1)


def test_properties_that_are_unknown_everywhere_are_stored(tmp_path):
    with StoreWriter(tmp_path / "s.zarr", GRID, n_samples=2, property_names=["E"]) as writer:
        writer.append(labels(2), {"E": [np.nan, np.nan]})
    np.testing.assert_array_equal(open_structures(tmp_path / "s.zarr").properties["E"], [np.nan, np.nan])


def test_fields_too_large_for_float32_are_refused(tmp_path):
    grid = Grid((4,), phases=1)
    with (
        pytest.raises(InputError, match="stored as float32"),
        StoreWriter(tmp_path / "s", grid, n_samples=1) as writer,
    ):
        writer.append(np.full((1, 4), 1e300))


def test_a_store_has_the_permissions_of_a_new_folder(tmp_path):
    (tmp_path / "plain").mkdir()
    write(tmp_path / "s.zarr", [labels(1)], 1)
    assert os.stat(tmp_path / "s.zarr").st_mode == os.stat(tmp_path / "plain").st_mode
    assert json.loads((tmp_path / "s.zarr" / "zarr.json").read_text())["node_type"] == "group"
