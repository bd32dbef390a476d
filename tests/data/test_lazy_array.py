from __future__ import annotations

import pickle
from functools import partial

import dask
import numpy as np
import pytest

from matvae.data.lazy_array import CHUNK_BYTES, LazyArray, choose_chunks, contiguous_chunks
from matvae.errors import InputError, StoreError

VALUES = np.arange(5 * 6 * 7).reshape(5, 6, 7)
READ: list[tuple[int, ...]] = []


def read_values(box):
    READ.append(tuple(part.stop - part.start for part in box))
    return VALUES[box]


def plus_one(block, box):
    return block + 1


def fail(box, error):
    raise error


@pytest.fixture
def blocks():
    READ.clear()
    return LazyArray("values", VALUES.shape, VALUES.dtype, ((2, 2, 1), (6,), (7,)), read_values)


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
def test_indexing_follows_numpy(blocks, index):
    np.testing.assert_array_equal(blocks[index], VALUES[index])


def test_expanded_squeezed_and_mapped_arrays_are_indexed_like_numpy_arrays(blocks):
    np.testing.assert_array_equal(blocks.expand()[0:1, 2:4, 1], VALUES[None][0:1, 2:4, 1])
    np.testing.assert_array_equal(blocks.expand()[0:0], VALUES[None][0:0])
    np.testing.assert_array_equal(blocks.expand().squeeze(0)[3:], VALUES[3:])
    np.testing.assert_array_equal(blocks.map(plus_one)[3:, ::2], VALUES[3:, ::2] + 1)


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "processes"])
def test_the_dask_array_equals_the_values_under_every_scheduler(blocks, scheduler):
    lazy = pickle.loads(pickle.dumps(blocks.map(plus_one))).to_dask()
    with dask.config.set(scheduler=scheduler, num_workers=2):
        np.testing.assert_array_equal(lazy.compute(), VALUES + 1)


def test_a_slice_reads_only_its_box(blocks):
    lazy = blocks.expand().map(plus_one).to_dask()
    np.testing.assert_array_equal(lazy[0:1, 1:3, 2:4, 5:6].compute(), VALUES[None, 1:3, 2:4, 5:6] + 1)
    assert sorted(READ) == [(1, 2, 1), (1, 2, 1)]


def test_read_errors_are_store_errors_that_name_the_position(blocks):
    broken = LazyArray("x.tif", (4, 4), np.dtype("u1"), ((4,), (4,)), partial(fail, error=ValueError("bad")))
    with pytest.raises(StoreError, match=r"x\.tif cannot be read at voxels \[1:2, 0:4\]: ValueError: bad"):
        broken.to_dask()[1:2].compute()
    refusing = LazyArray("x", (4,), np.dtype("u1"), ((4,),), partial(fail, error=InputError("unchanged")))
    with pytest.raises(InputError, match=r"^unchanged$"):
        refusing[:]


def test_chunks_have_16_mib_and_do_not_split_whole_axes():
    chunks = choose_chunks((400, 400, 400), np.uint8, whole=(1, 2))
    assert chunks[1:] == ((400,), (400,))
    assert max(chunks[0]) * 400 * 400 <= CHUNK_BYTES
    assert sum(chunks[0]) == 400
    assert choose_chunks((10, 10), np.uint8, whole=(0, 1)) == ((10,), (10,))
    native = choose_chunks((4096, 4096, 64), np.uint8, native=(64, 64, 64))
    assert all(length % 64 == 0 for axis in native for length in axis)


def test_headers_that_declare_absurd_sizes_fill_no_memory_with_lists_of_chunks():
    chunks = choose_chunks((10**9,), np.uint8, native=(1,))
    assert len(chunks[0]) < 1000
    assert sum(chunks[0]) == 10**9
    with pytest.raises(ValueError, match="declares 1000000000000000 bytes"):
        choose_chunks((10**15,), np.uint8, native=(10**6,))


@pytest.mark.parametrize(
    ("shape", "first"),
    [
        ((), ()),
        ((0, 5), (0, 5)),
        ((10, 20), (10, 20)),
        ((1000, 1000, 1000), (16, 1000, 1000)),
        ((100, 20000, 20000), (1, 838, 20000)),
        ((5000, 64, 64), (4096, 64, 64)),
        ((2, 10**8), (1, 2**24)),
        ((10**8, 1), (2**24, 1)),
    ],
)
def test_contiguous_chunks_are_runs_of_bytes_in_a_file(shape, first):
    chunks = contiguous_chunks(shape, np.uint8)
    assert tuple(lengths[0] for lengths in chunks) == first
    assert tuple(map(sum, chunks)) == shape
    # Chunks before the last axis that is split have the length one.
    split = max((axis for axis in range(len(shape)) if first[axis] < shape[axis]), default=0)
    assert set(first[:split]) <= {1}
    assert tuple(lengths[0] for lengths in contiguous_chunks((400, 400, 400), np.float32)) == (26, 400, 400)


def test_transposed_arrays_read_the_box_that_they_need(blocks):
    transposed = blocks.transpose((2, 0, 1))
    assert transposed.shape == (7, 5, 6)
    assert transposed.chunks == ((7,), (2, 2, 1), (6,))
    np.testing.assert_array_equal(transposed[1:4, 2, :3], VALUES.transpose(2, 0, 1)[1:4, 2, :3])
    assert READ == [(1, 3, 3)]
    np.testing.assert_array_equal(transposed.to_dask().compute(), VALUES.transpose(2, 0, 1))
