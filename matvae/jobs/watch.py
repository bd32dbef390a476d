"""Progress of a dask computation, counted in tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..data.sample_blocks import Progress


@contextmanager
def watch_blocks(progress: Progress | None, expected: int) -> Iterator[None]:
    """Report every finished task of what dask computes inside the block.

    Parameters
    ----------
    progress : callable, optional
        Called with the number of tasks done and their total; without it nothing is watched.
    expected : int
        Tasks that are expected at least, since dask may be asked to compute several times.
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
