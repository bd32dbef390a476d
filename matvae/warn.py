"""Warnings that name the line of the caller's own code."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

# Frames of these packages stand between a caller's line and the warning: ours, and those that wrap our methods.
WRAPPERS = {"matvae", "sklearn", "dask", "contextlib", "functools"}


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the first frame that belongs neither to matvae, nor to a plugin of it, nor to what wraps its methods.

    Parameters
    ----------
    message : str
        What is wrong, what was done, and what to do next.
    category : type of Warning
    """
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and _is_wrapper(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_wrapper(frame: FrameType) -> bool:
    package = frame.f_globals.get("__name__", "").partition(".")[0]
    return package in WRAPPERS or package.startswith("matvae_")
