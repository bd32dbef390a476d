"""The crew of one process: results in order, and the next block read while one is worked on."""

from __future__ import annotations

import threading

import dask.array as da
import numpy as np
import pytest

from matvae.crew import ALONE, computed


def power(given, number):
    return given**number


def test_results_are_in_the_order_of_the_tasks_which_are_taken_one_by_one():
    taken = []

    def tasks():
        for number in range(4):
            taken.append(number)
            yield (number,)

    for result in ALONE.in_order(power, tasks(), 3):
        assert result == 3 ** taken[-1]
    assert taken == [0, 1, 2, 3]


def test_the_next_block_is_read_meanwhile():
    second_is_read, threads = threading.Event(), set()

    def read(given, number):
        threads.add(threading.get_ident())
        if number == 1:
            second_is_read.set()
        return given + number

    def work(given, block, number):
        # Of the first block: the second has to be read by another thread, before this returns.
        assert second_is_read.wait(20)
        return block, number

    results = list(ALONE.in_order(work, ((number,) for number in range(3)), 10, read=read))
    assert results == [(10, 0), (11, 1), (12, 2)]
    assert threads
    assert threading.get_ident() not in threads


def test_errors_of_reading_are_raised():
    def read(given, number):
        raise OSError(f"Block {number} is lost.")

    with pytest.raises(OSError, match="Block 0 is lost"):
        list(ALONE.in_order(power, [(0,), (1,)], read=read))


def test_a_dask_array_is_computed_chunk_by_chunk():
    array, seen = np.arange(35.0).reshape(7, 5), []

    def doubled(block):
        seen.append(len(block))
        return 2 * block

    lazy = da.from_array(array, chunks=(3, -1)).map_blocks(doubled, dtype=float, meta=np.empty((0, 5)))
    done = []
    np.testing.assert_array_equal(computed(lazy, ALONE, done.append), 2 * array)
    assert seen == done == [3, 3, 1]
