"""One torch thread in this Python thread, for work that is already spread over threads.

torch splits every single operation among its threads, which wait for each other at its end. Where several
blocks are worked on at once that only costs time, on busy cores a multiple of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

import torch

Item = TypeVar("Item")

_lock = Lock()
_inside = 0
_usual = 1


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch use one thread for what this Python thread does; other threads keep the usual number."""
    global _inside, _usual
    # Threads that start later get the last number anybody set, so all put the usual one back.
    with _lock:
        # Asking settles the number of a new thread; torch would do so later and undo what is set here.
        here = torch.get_num_threads()
        if _inside == 0:
            _usual = here
        _inside += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            torch.set_num_threads(_usual)


def for_each(items: Iterable[Item], work: Callable[[Item], None], workers: int) -> None:
    """Do `work` for every item without gradients, on so many Python threads at once; for one, on this thread.

    Whatever the work raises is raised here, and items that have not begun are dropped.
    """
    inference = torch.is_inference_mode_enabled()

    def alone(item: Item) -> None:
        # Leaving inference mode turns gradients on, so it comes first.
        with one_torch_thread(), torch.inference_mode(inference), torch.no_grad():
            work(item)

    if workers == 1:
        with torch.no_grad():
            for item in items:
                work(item)
        return
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(alone, items):
            pass
