"""Blocks of samples: every sample occurs once and in order, and every stored chunk is read once."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matvae import Grid, Structures
from matvae.data import sample_blocks as blocks_module
from matvae.data.sample_blocks import (
    aligned,
    block_bounds,
    chunk_spans,
    read_block,
    sample_blocks,
    samples_per_block,
    stage,
)


@given(
    chunks=st.lists(st.integers(1, 7), min_size=1, max_size=8),
    size=st.integers(1, 12),
    read=st.integers(1, 40),
)
def test_blocks_have_the_requested_size_and_concatenate_to_the_whole(chunks, size, read):
    whole = np.arange(sum(chunks) * 3, dtype=np.uint8).reshape(-1, 3)
    data = da.from_array(whole, chunks=(tuple(chunks), 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks_module, "READ_BYTES", 3 * read)
        blocks = list(sample_blocks(data, size))
    assert [start for start, _ in blocks] == list(range(0, len(whole), size))
    assert all(len(block) == size for _, block in blocks[:-1])
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), whole)


@given(chunks=st.lists(st.integers(0, 9), max_size=20).map(tuple), size=st.integers(0, 12))
def test_spans_cover_all_chunks_without_splitting_any(chunks, size):
    spans = list(chunk_spans(chunks, size))
    edges = {0, *np.cumsum(chunks).tolist()}
    assert all(start in edges and stop in edges for start, stop in spans)
    assert all(stop - start <= max(size, *chunks) for start, stop in spans)
    assert [start for start, _ in spans] + [sum(chunks)] == [0, *(stop for _, stop in spans)] or not sum(chunks)


def test_every_chunk_is_read_once():
    reads = []

    def read(block_info=None):
        reads.append(block_info[None]["chunk-location"][0])
        return np.zeros(block_info[None]["chunk-shape"], np.uint8)

    data = da.map_blocks(read, chunks=((5, 5, 5, 2), (4,)), dtype=np.uint8, meta=np.empty((0, 0), np.uint8))
    assert sum(len(block) for _, block in sample_blocks(data, 3)) == 17
    assert sorted(reads) == [0, 1, 2, 3]


def test_a_block_holds_at_least_one_sample():
    assert samples_per_block(1 << 40) == 1
    assert samples_per_block(blocks_module.BLOCK_BYTES // 4) == 4
    assert samples_per_block(0) > 0


def test_progress_continues_from_one_stage_of_a_job_to_the_next():
    reports = []
    for first, length in ((0, 3), (3, 4)):
        stage(lambda done, total: reports.append((done, total)), first, 7)(length, length)
    assert reports == [(3, 7), (7, 7)]
    assert stage(None, 0, 7) is None


def test_blocks_of_structures_bring_their_masks():
    labels = np.arange(7 * 6, dtype=np.uint8).reshape(7, 2, 3) % 2
    mask = np.random.default_rng(0).random(labels.shape) < 0.5
    data = da.from_array(labels, chunks=(2, 2, 3))
    whole = Structures(data, Grid((2, 3), periodic=False), attributes={"phase_values": [3, 9]})
    masked = Structures(data, whole.grid, mask=mask, attributes=whole.attributes)
    for start, stop in ((0, 3), (3, 6), (6, 7)):
        np.testing.assert_array_equal(read_block(whole, start, stop), labels[start:stop])
        block = read_block(masked, start, stop)
        np.testing.assert_array_equal(block.data, labels[start:stop])
        np.testing.assert_array_equal(block.mask, mask[start:stop])
        assert (block.grid, block.attributes) == (masked.grid, masked.attributes)


def test_blocks_begin_with_chunks_where_a_size_allows():
    assert aligned(167, [330, 330, 40]) == 165
    assert aligned(330, [330, 330]) == 330
    assert aligned(700, [330, 330, 330]) == 660
    # Of a prime number of samples no block is a part, and small blocks would cost more than a chunk read twice.
    assert aligned(100, [331, 331]) == 100
    assert aligned(1, [5]) == 1


def test_bounds_cover_all_samples():
    assert list(block_bounds(10, 4)) == [(0, 4), (4, 8), (8, 10)]
    assert list(block_bounds(4, 4)) == [(0, 4)]
