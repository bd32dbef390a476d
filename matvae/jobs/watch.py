"""Progress of a dask computation in numbers of tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..data.sample_blocks import Progress


@contextmanager
def watch_blocks(progress: Progress | None, expected: int) -> Iterator[None]:
    """Report every task that dask finishes within the context.

    Parameters
    ----------
    progress : callable, optional
        Called with the number of finished tasks and their total; if None, nothing is reported.
    expected : int
        Smallest number of tasks to expect, since there may be several computations.
    """
    if progress is None:
        yield
        return
    from dask.callbacks import Callback

    done = total = 0

    def start(_graph: Any, state: Any) -> None:
        nonlocal total
        total += len(state["ready"]) + len(state["waiting"])

    def finish(*_: Any) -> None:
        nonlocal done
        done += 1
        progress(min(done, max(total, expected)), max(total, expected))

    with Callback(start_state=start, posttask=finish):
        yield
