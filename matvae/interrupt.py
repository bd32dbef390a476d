"""Interrupts: long work asks between its steps whether it shall end, and whoever started it decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_shall_end: ContextVar[Callable[[], bool] | None] = ContextVar("shall_end", default=None)


class Interrupted(BaseException):
    """Work that was asked to end. Like a KeyboardInterrupt, it is no error of what it interrupts."""


@contextmanager
def interruptible(shall_end: Callable[[], bool]) -> Iterator[None]:
    """Let work in the block, in this thread and in those that it starts for its parts, end when this returns True.

    Raises
    ------
    Interrupted
        At the next step of the work.
    """
    token = _shall_end.set(shall_end)
    try:
        yield
    finally:
        _shall_end.reset(token)


def interrupt_check() -> Callable[[], None]:
    """Return what work calls before each of its steps, in any thread; it raises `Interrupted` if the work shall end."""
    shall_end = _shall_end.get()

    def check() -> None:
        if shall_end is not None and shall_end():
            raise Interrupted

    return check
