"""The errors that matvae raises, each with the exit code of the command line.

An error message is one paragraph: what was expected, what was received, and what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache
from typing import Any


class MatvaeError(Exception):
    """Base class of the errors that matvae raises deliberately."""

    exit_code = 1


class InputError(MatvaeError, ValueError):
    """Invalid data or parameters: wrong values, shape, type or range."""

    exit_code = 3


class DamagedFileError(InputError):
    """A file of a user that is damaged or incomplete, while other invalid inputs are what they should not be."""


class StoreError(MatvaeError, OSError):
    """A store or model on disk that is damaged, incomplete, of another version, or not writable."""

    exit_code = 4


class PluginError(MatvaeError, LookupError):
    """A named part (reader, encoder, decoder, data set, ...) that is unknown, broken or defined twice."""

    exit_code = 2


class MissingExtraError(MatvaeError, ImportError):
    """A missing optional library; the message names the extra that installs it."""

    exit_code = 2


@cache
def _not_fitted_error() -> type[Exception]:
    # scikit-learn is slow to import and is needed for this base class only.
    from sklearn.exceptions import NotFittedError as SklearnNotFittedError

    class NotFittedError(MatvaeError, SklearnNotFittedError):
        """An estimator that has not been fitted; also an instance of scikit-learn's NotFittedError."""

        exit_code = 2

    NotFittedError.__module__ = __name__
    NotFittedError.__qualname__ = "NotFittedError"
    return NotFittedError


def __getattr__(name: str) -> Any:
    if name == "NotFittedError":
        return _not_fitted_error()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def did_you_mean(name: Any, known: Iterable[str], shown: Callable[[str], str] = repr) -> str:
    """Return ``" Did you mean 'NAME'?"`` for the known name that is closest to another; empty if none is close."""
    close = get_close_matches(str(name), list(known), n=1)
    return f" Did you mean {shown(close[0])}?" if close else ""
