from __future__ import annotations

import dask.array as da
import numpy as np

from matvae import Grid
from matvae.data import write


def test_a_large_volume_is_written_layer_by_layer(tmp_path, monkeypatch):
    monkeypatch.setattr("matvae.data.writers.writer.READ_BYTES", 1000)
    largest = []

    def layer(block_info=None):
        (start, stop), shape = block_info[None]["array-location"][1], block_info[None]["chunk-shape"]
        largest.append(np.prod(shape))
        return np.broadcast_to(np.arange(start, stop, dtype=np.uint8)[:, None, None] % 3, shape)

    volume = da.map_blocks(layer, chunks=((1,), (5,) * 8, (20,), (10,)), dtype=np.uint8, meta=np.empty((0,) * 4, "u1"))
    write(volume, tmp_path / "a.npy", grid=Grid((40, 20, 10), phases=3))
    expected = np.broadcast_to(np.arange(40)[:, None, None] % 3, (40, 20, 10))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", mmap_mode="r"), expected)
    assert max(largest) == 1000


def test_the_order_is_that_of_c(tmp_path):
    write(np.zeros((3, 4), np.uint8), tmp_path / "a.npy", grid=Grid((3, 4)))
    assert np.load(tmp_path / "a.npy").flags.c_contiguous
