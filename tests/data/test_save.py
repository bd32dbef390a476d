from __future__ import annotations

import subprocess
import sys

import dask.array as da
import numpy as np
import pytest

from matvae.data import Structures, open_structures, save_structures
from matvae.data import layout as layout_module
from matvae.data import save as save_module
from matvae.errors import InputError, StoreError
from matvae.grid import Grid


@pytest.mark.parametrize("shape", [(17,), (5, 6), (3, 4, 5)])
@pytest.mark.parametrize("kind", ["numpy", "dask", "structures"])
def test_saved_structures_can_be_read(tmp_path, shape, kind):
    values = np.random.default_rng(0).integers(0, 4, (7, *shape))
    grid = Grid(shape, phases=4, voxel_size=0.1, unit="mm", periodic=False)
    structures = {
        "numpy": values,
        "dask": da.from_array(values, chunks=(2, *(max(1, n // 2) for n in shape))),
        "structures": Structures(values, Grid(shape, phases=4), {"a": np.ones(7)}, {"a": "m"}, {"one": 1}),
    }[kind]
    save_structures(
        tmp_path / "s.zarr",
        structures,
        grid=grid,
        properties={"E": range(7)},
        units={"E": "GPa"},
        attributes={"two": 2},
    )
    stored = open_structures(tmp_path / "s.zarr")
    np.testing.assert_array_equal(stored.data.compute(), values)
    assert stored.data.dtype == np.uint8
    assert stored.grid == grid
    np.testing.assert_array_equal(stored.properties["E"], range(7))
    if kind == "structures":
        assert set(stored.properties) == {"a", "E"}
        assert stored.units == {"a": "m", "E": "GPa"}
        assert stored.attributes == {"one": 1, "two": 2}


def test_a_continuous_field_is_stored_as_float32(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 6, 6))
    save_structures(tmp_path / "s.zarr", values)
    stored = open_structures(tmp_path / "s.zarr")
    assert stored.grid == Grid((6, 6), phases=1)
    np.testing.assert_array_equal(stored.data.compute(), values.astype(np.float32))


def test_large_volumes_are_written_box_by_box(tmp_path, monkeypatch):
    monkeypatch.setattr(layout_module, "SHARD_VOXELS", 100)
    monkeypatch.setattr(layout_module, "_SPATIAL_CHUNK", {1: 10, 2: 5, 3: 4})
    values = np.random.default_rng(0).integers(0, 2, (2, 6, 7, 9))
    save_structures(tmp_path / "s.zarr", da.from_array(values, chunks=(1, 4, 3, 9)), properties={"E": [1.0, 2.0]})
    stored = open_structures(tmp_path / "s.zarr")
    np.testing.assert_array_equal(stored.data.compute(), values)
    np.testing.assert_array_equal(stored.properties["E"], [1, 2])


@pytest.mark.parametrize(("limit", "n_computed"), [(1, 96), (300, 24), (10**6, 12)])
def test_chunks_of_large_volumes_are_computed_as_seldom_as_memory_allows(tmp_path, monkeypatch, limit, n_computed):
    monkeypatch.setattr(layout_module, "SHARD_VOXELS", 100)
    monkeypatch.setattr(layout_module, "_SPATIAL_CHUNK", {3: 4})
    monkeypatch.setattr(save_module, "_LARGE_SPAN_BYTES", limit)
    values = np.random.default_rng(0).integers(0, 2, (2, 6, 7, 15), dtype=np.uint8)
    computed = []

    def record(block, block_info=None):
        computed.append(block_info)
        return block

    layers = da.from_array(values, chunks=(1, 1, 7, 15)).map_blocks(record, dtype=np.uint8, meta=np.empty(0, np.uint8))
    save_structures(tmp_path / "s.zarr", layers)
    np.testing.assert_array_equal(open_structures(tmp_path / "s.zarr").data.compute(), values)
    assert len(computed) == n_computed


def test_invalid_labels_in_the_last_block_leave_nothing_behind(tmp_path):
    values = np.zeros((9, 4, 4), dtype=np.int64)
    values[8, 0, 0] = 2
    with pytest.raises(InputError, match="labels 0 to 1, but 1 voxel of sample 8 holds 2"):
        save_structures(tmp_path / "s.zarr", da.from_array(values, chunks=(3, 4, 4)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mask", [False, True])
def test_spans_are_written_in_order_while_the_next_ones_are_computed(tmp_path, monkeypatch, mask):
    monkeypatch.setattr(layout_module, "SHARD_VOXELS", 100)
    monkeypatch.setattr(save_module, "_SPAN_BYTES", 30 * 8)
    values = np.random.default_rng(0).integers(0, 3, (41, 3, 4))
    inside = da.from_array(values != 1, chunks=(5, 3, 4)) if mask else None
    given = Structures(
        da.from_array(values, chunks=(3, 2, 4)), Grid((3, 4), phases=3), {"E": np.arange(41)}, mask=inside
    )
    save_structures(tmp_path / "s.zarr", given)
    stored = open_structures(tmp_path / "s.zarr")
    np.testing.assert_array_equal(stored.data.compute(), values)
    np.testing.assert_array_equal(stored.properties["E"], np.arange(41))
    assert (stored.mask is not None) == mask
    if mask:
        np.testing.assert_array_equal(stored.mask.compute(), values != 1)


def test_a_source_that_fails_while_earlier_structures_are_written_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(layout_module, "SHARD_VOXELS", 32)
    monkeypatch.setattr(save_module, "_SPAN_BYTES", 32)

    def fail_at_last(block, block_info=None):
        if block_info[0]["array-location"][0][1] == 40:
            raise StoreError("lost")
        return block

    values = da.zeros((40, 4, 4), dtype=np.uint8, chunks=(2, 4, 4)).map_blocks(fail_at_last, dtype=np.uint8)
    with pytest.raises(StoreError, match="lost"):
        save_structures(tmp_path / "s.zarr", values)
    assert list(tmp_path.iterdir()) == []


def test_a_store_can_be_replaced_by_a_subset_of_itself(tmp_path):
    path = tmp_path / "s.zarr"
    values = np.random.default_rng(0).integers(0, 2, (9, 4, 4))
    save_structures(path, values, properties={"E": range(9)})
    save_structures(path, open_structures(path)[2:5], overwrite=True)
    np.testing.assert_array_equal(open_structures(path).data.compute(), values[2:5])
    np.testing.assert_array_equal(open_structures(path).properties["E"], [2, 3, 4])


def test_unknown_shapes_and_empty_sets_are_refused(tmp_path):
    unknown = da.from_array(np.arange(12).reshape(3, 4) % 2)
    with pytest.raises(InputError, match="compute_chunk_sizes"):
        save_structures(tmp_path / "s.zarr", unknown[unknown[:, 0] == 0])
    with pytest.raises(InputError, match="at least one structure"):
        save_structures(tmp_path / "s.zarr", np.zeros((0, 4), dtype=np.uint8))


_IMPORT = """
import resource, sys
import numpy as np
from matvae.data import open_structures, save_structures, windows
source, out = sys.argv[1:]
import tifffile, h5py
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
structures = windows(open_structures(source, spatial_dims=3), 64, stride=32)
save_structures(out, structures)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
mebibyte = 2**20 if sys.platform == "darwin" else 2**10
print(grown // mebibyte, structures.data.nbytes // 2**20)
"""


def test_memory_is_independent_of_the_size_of_the_set(tmp_path):
    volume = np.random.default_rng(0).integers(0, 2, (480, 256, 256), dtype=np.uint8)
    np.save(tmp_path / "volume.npy", volume)
    command = [sys.executable, "-c", _IMPORT, tmp_path / "volume.npy", tmp_path / "s.zarr"]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, written = map(int, process.stdout.split())
    assert written > 160
    assert grown < 400
    last = open_structures(tmp_path / "s.zarr").data[-1].compute()
    np.testing.assert_array_equal(last, volume[-64:, -64:, -64:])
