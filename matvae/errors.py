"""The errors matvae raises, each with the exit code the command line ends with.

An error message is one paragraph: what was expected, what was received, and what to do next.
"""

from __future__ import annotations

from functools import cache
from typing import Any


class MatvaeError(Exception):
    """Base of every error that matvae raises on purpose."""

    exit_code = 1


class InputError(MatvaeError, ValueError):
    """Data or a parameter is not what was asked for: wrong values, shape, type or range."""

    exit_code = 3


class StoreError(MatvaeError, OSError):
    """A store or model on disk is damaged, incomplete, of another version, or cannot be written."""

    exit_code = 4


class PluginError(MatvaeError, LookupError):
    """A named part (reader, encoder, decoder, data set) is unknown, broken or defined twice."""

    exit_code = 2


class MissingExtraError(MatvaeError, ImportError):
    """An optional library is needed for this; the message says which extra installs it."""

    exit_code = 2


@cache
def _not_fitted_error() -> type[Exception]:
    # scikit-learn takes long to import and is needed for this one base class only.
    from sklearn.exceptions import NotFittedError as SklearnNotFittedError

    class NotFittedError(MatvaeError, SklearnNotFittedError):
        """The estimator has not been fitted yet; also an instance of scikit-learn's own NotFittedError."""

        exit_code = 2

    NotFittedError.__module__ = __name__
    NotFittedError.__qualname__ = "NotFittedError"
    return NotFittedError


def __getattr__(name: str) -> Any:
    if name == "NotFittedError":
        return _not_fitted_error()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
