"""Waiting for what zarr still does in its own thread after a call has failed."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Iterator
from contextlib import contextmanager

# Imported so that zarr's own function at exit is registered first, and runs after ours.
from zarr.core import sync

# Reading or writing one file takes far less.
_LONGEST_SECONDS = 30.0


def finish_tasks() -> None:
    """Wait until zarr has ended what it was doing when a call to it failed or was interrupted.

    zarr handles the chunks of one call together. The first error is raised at once, while the other chunks are still
    read or written: files would appear again in a folder that has been removed, and at exit Python would report every
    one of the forgotten tasks.
    """
    loop, thread = sync.loop[0], sync.iothread[0]
    if loop is None or thread is None or not thread.is_alive() or loop.is_closed():
        return
    asyncio.run_coroutine_threadsafe(_finish(), loop).result()


@contextmanager
def closing_tasks() -> Iterator[None]:
    """Call `finish_tasks` at the end of a block, whether it fails or not."""
    try:
        yield
    finally:
        finish_tasks()


async def _finish() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    if tasks:
        await asyncio.wait(tasks, timeout=_LONGEST_SECONDS)


atexit.register(finish_tasks)
