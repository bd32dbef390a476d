from __future__ import annotations

import subprocess
import sys

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matvae.data import Structures, open_structures, save_structures
from matvae.data import layout as layout_module
from matvae.data.save import _spans
from matvae.errors import InputError
from matvae.grid import Grid


@pytest.mark.parametrize("shape", [(17,), (5, 6), (3, 4, 5)])
@pytest.mark.parametrize("kind", ["numpy", "dask", "structures"])
def test_what_is_saved_comes_back(tmp_path, shape, kind):
    values = np.random.default_rng(0).integers(0, 4, (7, *shape))
    grid = Grid(shape, phases=4, voxel_size=0.1, unit="mm", periodic=False)
    given_as = {
        "numpy": values,
        "dask": da.from_array(values, chunks=(2, *(max(1, n // 2) for n in shape))),
        "structures": Structures(values, Grid(shape, phases=4), {"a": np.ones(7)}, {"a": "m"}, {"one": 1}),
    }[kind]
    save_structures(
        tmp_path / "s.zarr",
        given_as,
        grid=grid,
        properties={"E": range(7)},
        units={"E": "GPa"},
        attributes={"two": 2},
    )
    back = open_structures(tmp_path / "s.zarr")
    np.testing.assert_array_equal(back.data.compute(), values)
    assert back.data.dtype == np.uint8
    assert back.grid == grid
    np.testing.assert_array_equal(back.properties["E"], range(7))
    if kind == "structures":
        assert set(back.properties) == {"a", "E"}
        assert back.units == {"a": "m", "E": "GPa"}
        assert back.attributes == {"one": 1, "two": 2}


def test_a_continuous_field_is_kept_as_float32(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 6, 6))
    save_structures(tmp_path / "s.zarr", values)
    back = open_structures(tmp_path / "s.zarr")
    assert back.grid == Grid((6, 6), phases=1)
    np.testing.assert_array_equal(back.data.compute(), values.astype(np.float32))


def test_large_volumes_are_streamed_in_boxes(tmp_path, monkeypatch):
    monkeypatch.setattr(layout_module, "SHARD_VOXELS", 100)
    monkeypatch.setattr(layout_module, "_SPATIAL_CHUNK", {1: 10, 2: 5, 3: 4})
    values = np.random.default_rng(0).integers(0, 2, (2, 6, 7, 9))
    save_structures(tmp_path / "s.zarr", da.from_array(values, chunks=(1, 4, 3, 9)), properties={"E": [1.0, 2.0]})
    back = open_structures(tmp_path / "s.zarr")
    np.testing.assert_array_equal(back.data.compute(), values)
    np.testing.assert_array_equal(back.properties["E"], [1, 2])


def test_wrong_labels_in_the_last_block_leave_nothing(tmp_path):
    values = np.zeros((9, 4, 4), dtype=np.int64)
    values[8, 0, 0] = 2
    with pytest.raises(InputError, match="labels 0 to 1, but 1 voxels of sample 8 hold 2"):
        save_structures(tmp_path / "s.zarr", da.from_array(values, chunks=(3, 4, 4)))
    assert list(tmp_path.iterdir()) == []


def test_a_store_can_be_replaced_by_a_part_of_itself(tmp_path):
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


@given(chunks=st.lists(st.integers(0, 9), max_size=20).map(tuple), most=st.integers(1, 12))
def test_spans_cover_all_chunks_and_split_none(chunks, most):
    spans = list(_spans(chunks, most))
    edges = {0, *np.cumsum(chunks).tolist()}
    assert all(start in edges and stop in edges for start, stop in spans)
    assert all(stop - start <= max(most, *chunks) for start, stop in spans)
    assert [start for start, _ in spans] + [sum(chunks)] == [0, *(stop for _, stop in spans)] or not sum(chunks)


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


def test_memory_does_not_grow_with_the_set(tmp_path):
    volume = np.random.default_rng(0).integers(0, 2, (480, 256, 256), dtype=np.uint8)
    np.save(tmp_path / "volume.npy", volume)
    run = [sys.executable, "-c", _IMPORT, tmp_path / "volume.npy", tmp_path / "s.zarr"]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    grown, written = map(int, done.stdout.split())
    assert written > 160
    assert grown < 400
    last = open_structures(tmp_path / "s.zarr").data[-1].compute()
    np.testing.assert_array_equal(last, volume[-64:, -64:, -64:])
