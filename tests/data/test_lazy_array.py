from __future__ import annotations

import pickle
from functools import partial

import dask
import numpy as np
import pytest

from matvae.data.blocks import BLOCK_BYTES, Blocks, block_chunks
from matvae.errors import InputError, StoreError

VALUES = np.arange(5 * 6 * 7).reshape(5, 6, 7)
READ: list[tuple[int, ...]] = []


def read_values(box):
    READ.append(tuple(part.stop - part.start for part in box))
    return VALUES[box]


def plus_one(block, box):
    return block + 1


def break_down(box, error):
    raise error


@pytest.fixture
def blocks():
    READ.clear()
    return Blocks("values", VALUES.shape, VALUES.dtype, ((2, 2, 1), (6,), (7,)), read_values)


@pytest.mark.parametrize(
    "index",
    [
        np.s_[1:4],
        np.s_[...],
        np.s_[-1],
        np.s_[:, 2:5, 3],
        np.s_[..., ::2],
        np.s_[::-1, 5:1:-2],
        np.s_[3:3],
        np.s_[[4, 1], 2:4],
        np.s_[:, np.array([0, 3, 3])],
    ],
)
def test_indexing_is_that_of_numpy(blocks, index):
    np.testing.assert_array_equal(blocks[index], VALUES[index])


def test_views_index_like_the_array_they_stand_for(blocks):
    np.testing.assert_array_equal(blocks.expand()[0:1, 2:4, 1], VALUES[None][0:1, 2:4, 1])
    np.testing.assert_array_equal(blocks.expand()[0:0], VALUES[None][0:0])
    np.testing.assert_array_equal(blocks.expand().squeeze(0)[3:], VALUES[3:])
    np.testing.assert_array_equal(blocks.map(plus_one)[3:, ::2], VALUES[3:, ::2] + 1)


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "processes"])
def test_dask_array_equals_the_values_under_every_scheduler(blocks, scheduler):
    lazy = pickle.loads(pickle.dumps(blocks.map(plus_one))).to_dask()
    with dask.config.set(scheduler=scheduler, num_workers=2):
        np.testing.assert_array_equal(lazy.compute(), VALUES + 1)


def test_slicing_reads_the_box_and_no_more(blocks):
    lazy = blocks.expand().map(plus_one).to_dask()
    np.testing.assert_array_equal(lazy[0:1, 1:3, 2:4, 5:6].compute(), VALUES[None, 1:3, 2:4, 5:6] + 1)
    assert sorted(READ) == [(1, 2, 1), (1, 2, 1)]


def test_read_errors_are_store_errors_that_name_the_place(blocks):
    broken = Blocks("x.tif", (4, 4), np.dtype("u1"), ((4,), (4,)), partial(break_down, error=ValueError("bad")))
    with pytest.raises(StoreError, match=r"x\.tif cannot be read at voxels \[1:2, 0:4\]: ValueError: bad"):
        broken.to_dask()[1:2].compute()
    told = Blocks("x", (4,), np.dtype("u1"), ((4,),), partial(break_down, error=InputError("as it is")))
    with pytest.raises(InputError, match=r"^as it is$"):
        told[:]


def test_chunks_hold_16_mib_and_keep_whole_axes_whole():
    chunks = block_chunks((400, 400, 400), np.uint8, whole=(1, 2))
    assert chunks[1:] == ((400,), (400,))
    assert max(chunks[0]) * 400 * 400 <= BLOCK_BYTES
    assert sum(chunks[0]) == 400
    assert block_chunks((10, 10), np.uint8, whole=(0, 1)) == ((10,), (10,))
    native = block_chunks((4096, 4096, 64), np.uint8, native=(64, 64, 64))
    assert all(length % 64 == 0 for axis in native for length in axis)
