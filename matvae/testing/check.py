"""Named checks of a part, and the assertions that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError


@dataclass(frozen=True)
class Check:
    """A check that runs when it is called.

    Parameters
    ----------
    name : str
        Name of the property that is checked.
    subject : str
        Name of the part that is checked.
    run : callable
        Raises AssertionError if the part fails.
    """

    name: str
    subject: str
    run: Callable[[], None]

    def __call__(self) -> None:
        """Run the check."""
        self.run()

    def __str__(self) -> str:
        return f"{self.subject}-{self.name}"


def run_all(checks: Iterable[Check]) -> None:
    """Run checks one after the other; an error gets a note that names the check that raised it."""
    for check in checks:
        try:
            check()
        except Exception as error:
            error.add_note(f"Raised in the check {check}.")
            raise


def require(condition: Any, message: str) -> None:
    """Fail with a message unless a condition holds; unlike a bare assert, also when Python runs with ``-O``.

    Raises
    ------
    AssertionError
        If the condition does not hold.
    """
    if not bool(condition):
        raise AssertionError(message)


def require_close(actual: Any, expected: Any, message: str, tolerance: float = 1e-5) -> None:
    """Fail unless two arrays have the same shape and agree relative to the largest expected value.

    Raises
    ------
    AssertionError
        If they differ.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    require(actual.shape == expected.shape, f"{message}: shapes are {actual.shape} and {expected.shape}.")
    if not actual.size:
        return
    error = np.abs(actual - expected).max()
    size = max(1.0, float(np.abs(expected).max()))
    require(
        error <= tolerance * size, f"{message}: values differ by up to {error:.3g} (allowed: {tolerance * size:.3g})."
    )


def require_refusal(call: Callable[[], Any], subject: str) -> None:
    """Fail unless a call raises InputError; the message begins with `subject`, the invalid input.

    Raises
    ------
    AssertionError
        If the call raises no error, or another one.
    """
    try:
        call()
    except InputError:
        return
    except Exception as error:
        raise AssertionError(
            f"{subject} must raise matvae.errors.InputError, but raised {type(error).__name__}: {error}"
        ) from error
    raise AssertionError(f"{subject} must raise matvae.errors.InputError, but was accepted.")
