"""A single torch thread per Python thread, for work that is already distributed over threads.

torch splits each operation among its threads, which synchronise at its end. Where several blocks are processed
concurrently this only costs time, and on busy cores several times the time of the work itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

import torch

from ..interrupt import interrupt_check

Item = TypeVar("Item")

_lock = Lock()
_n_contexts = 0
_usual_threads = 1


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Restrict torch to one thread for the work of this Python thread; other threads keep the usual number."""
    global _n_contexts, _usual_threads
    # New threads start with the number that was set last in any thread, so each context restores the usual number.
    with _lock:
        # Reading the number initialises it for a new thread; torch would do so later and override the 1 set here.
        current = torch.get_num_threads()
        if _n_contexts == 0:
            _usual_threads = current
        _n_contexts += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _n_contexts -= 1
            torch.set_num_threads(_usual_threads)


def for_each(items: Iterable[Item], work: Callable[[Item], None], workers: int) -> None:
    """Call `work` on every item without gradients, on a number of Python threads; a single worker is this thread.

    Errors of the work are raised here, and items that have not been started are dropped; an interrupt comes between two
    items.
    """
    inference, check = torch.is_inference_mode_enabled(), interrupt_check()

    def alone(item: Item) -> None:
        check()
        # inference_mode comes before no_grad, since inference_mode(False) would turn gradients on again.
        with one_torch_thread(), torch.inference_mode(inference), torch.no_grad():
            work(item)

    if workers == 1:
        with torch.no_grad():
            for item in items:
                check()
                work(item)
        return
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(alone, items):
            pass
