"""After a failed call, what zarr still does is waited for."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest
import zarr
from zarr.core.sync import _get_loop

from matvae.data.zarr_tasks import closing_tasks, finish_tasks


def test_tasks_of_a_failed_call_have_ended():
    ended = []

    async def slow():
        await asyncio.sleep(0.2)
        ended.append(True)

    asyncio.run_coroutine_threadsafe(slow(), _get_loop())
    time.sleep(0.02)
    finish_tasks()
    assert ended == [True]


def test_tasks_end_after_an_error_in_a_block():
    async def slow():
        await asyncio.sleep(0.1)

    future = asyncio.run_coroutine_threadsafe(slow(), _get_loop())
    time.sleep(0.02)
    with pytest.raises(KeyError), closing_tasks():
        raise KeyError
    assert future.done()


def test_zarr_works_afterwards(tmp_path):
    finish_tasks()
    array = zarr.create_array(tmp_path / "a.zarr", shape=(4,), dtype="u1")
    array[:] = np.arange(4)
    finish_tasks()
    assert array[3] == 3
