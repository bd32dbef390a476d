"""A reader that has seen enough, as `head` does, is no failure of the command that writes to it."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def readers_may_leave() -> Iterator[None]:
    """Exit with 0 instead of 1 where Typer and rich end the block because nobody reads stdout any more."""
    if os.name != "posix" or sys.__stdout__ is None:
        yield
        return
    # A copy, since rich replaces the descriptor of stdout when it finds that out.
    copy = os.dup(sys.__stdout__.fileno())
    try:
        yield
    except SystemExit as end:
        if end.code == 1 and _has_lost_its_reader(copy):
            sys.exit(0)
        raise
    finally:
        os.close(copy)


def _has_lost_its_reader(pipe: int) -> bool:
    poll = select.poll()
    poll.register(pipe, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))
