"""Crew: whoever applies the function of a job to its blocks. `ALONE` is this process; `jobs.cluster` has others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

Result = TypeVar("Result")
Task = tuple[Any, ...]
Read = Callable[..., Any]


class Crew(Protocol):
    """Applies functions to blocks, in one process or in several, with the same results.

    Attributes
    ----------
    n_workers : int
        Number of blocks that are worked on at the same time.
    """

    n_workers: int

    def in_order(
        self, function: Callable[..., Result], tasks: Iterable[Task], given: Any = None, *, read: Read | None = None
    ) -> Iterator[Result]:
        """Yield ``function(given, *task)`` for every task, in the order of the tasks.

        Parameters
        ----------
        function : callable
            Of a module, so that other processes can import it.
        tasks : iterable of tuple
            Small: which samples, rather than the samples. Consumed a few at a time.
        given : object
            What all tasks share, such as a model and lazily opened structures; sent to each worker once.
        read : callable, optional
            Of a module. ``read(given, *task)`` reads what a task needs; the function is then called as
            ``function(given, what was read, *task)``.
        """

    def writes_in(self, folder: Path) -> bool:
        """Return whether functions should write large results into `folder` themselves.

        Then they do not pass through this process, which would be too slow for many workers.
        """


class Alone:
    """This process, which does one block after another, and reads the next one meanwhile."""

    n_workers = 1

    def in_order(
        self, function: Callable[..., Result], tasks: Iterable[Task], given: Any = None, *, read: Read | None = None
    ) -> Iterator[Result]:
        """Yield ``function(given, *task)`` for every task, as in `Crew`."""
        if read is None:
            for task in tasks:
                yield function(given, *task)
            return
        with ThreadPoolExecutor(1, thread_name_prefix="matvae-read-ahead") as reader:
            ahead: deque[tuple[Task, Future[Any]]] = deque()
            for task in tasks:
                ahead.append((task, reader.submit(read, given, *task)))
                if len(ahead) > 1:
                    yield _done(function, given, *ahead.popleft())
            while ahead:
                yield _done(function, given, *ahead.popleft())

    def writes_in(self, folder: Path) -> bool:
        """Return False: a thread writes a result while the next one is computed."""
        return False


ALONE = Alone()


def _done(function: Callable[..., Result], given: Any, task: Task, block: Future[Any]) -> Result:
    return function(given, block.result(), *task)


def computed(lazy: Any, crew: Crew, on_part: Callable[[int], None] | None = None) -> np.ndarray:
    """Compute a dask array, each chunk along its first axis by itself, and call `on_part` with the length of each."""
    stops = np.cumsum(lazy.chunks[0]).tolist()
    tasks = ((stop - n, stop) for stop, n in zip(stops, lazy.chunks[0], strict=True))
    parts = []
    for part in crew.in_order(_part, tasks, lazy):
        parts.append(part)
        if on_part is not None:
            on_part(len(part))
    return np.concatenate(parts)


def _part(array: Any, start: int, stop: int) -> np.ndarray:
    # A single chunk needs no threads, in which warnings could not name the caller's line.
    return np.asarray(array[start:stop].compute(scheduler="synchronous"))
