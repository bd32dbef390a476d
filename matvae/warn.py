"""Warnings that name the line of the caller's own code, or are kept for a reader who has no code."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType

# Frames of these packages stand between a caller's line and the warning: ours, those that wrap our methods, and those
# of threads, in which there is no line of the caller.
WRAPPERS = {"matvae", "sklearn", "dask", "contextlib", "functools", "concurrent", "threading"}
_NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]?\d+)?")
_kept: ContextVar[list[str] | None] = ContextVar("kept", default=None)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the first frame that belongs neither to matvae, nor to a plugin of it, nor to what wraps its methods.

    Parameters
    ----------
    message : str
        What is wrong, what was done, and what to do next.
    category : type of Warning
    """
    kept = _kept.get()
    if kept is not None:
        kept.append(message)
        return
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and _is_wrapper(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def kept_warnings() -> Iterator[list[str]]:
    """Keep the messages of warnings in the block instead of showing them; those of other threads are not touched."""
    messages: list[str] = []
    token = _kept.set(messages)
    try:
        yield messages
    finally:
        _kept.reset(token)


def kind_of(message: str) -> str:
    """Return a message without its numbers, which is the same for one block of structures after the other."""
    return _NUMBER.sub("", message)


def _is_wrapper(frame: FrameType) -> bool:
    package = frame.f_globals.get("__name__", "").partition(".")[0]
    return package in WRAPPERS or package.startswith("matvae_")
