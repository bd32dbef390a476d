"""One named check of a part, and what checks have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError


@dataclass(frozen=True)
class Check:
    """A check that is ready to run: call it.

    Parameters
    ----------
    name : str
        What is checked.
    subject : str
        Name of the part that is checked.
    run : callable
        Raises AssertionError where the part fails.
    """

    name: str
    subject: str
    run: Callable[[], None]

    def __call__(self) -> None:
        """Run it; nothing is returned."""
        self.run()

    def __str__(self) -> str:
        return f"{self.subject}-{self.name}"


def require(holds: Any, message: str) -> None:
    """Fail with a message unless something holds; unlike a bare assert also where Python leaves those out.

    Raises
    ------
    AssertionError
        If it does not hold.
    """
    if not bool(holds):
        raise AssertionError(message)


def require_close(found: Any, expected: Any, message: str, tolerance: float = 1e-5) -> None:
    """Fail unless two arrays have one shape and, relative to the largest of the values expected, are alike.

    Raises
    ------
    AssertionError
        If they differ.
    """
    found, expected = np.asarray(found), np.asarray(expected)
    require(found.shape == expected.shape, f"{message}: shapes are {found.shape} and {expected.shape}.")
    if not found.size:
        return
    error = np.abs(found - expected).max()
    size = max(1.0, float(np.abs(expected).max()))
    require(
        error <= tolerance * size, f"{message}: values differ by up to {error:.3g} (allowed: {tolerance * size:.3g})."
    )


def require_refusal(work: Callable[[], Any], what: str) -> None:
    """Fail unless some work raises InputError.

    Raises
    ------
    AssertionError
        If it raises nothing, or another error.
    """
    try:
        work()
    except InputError:
        return
    except Exception as error:
        raise AssertionError(
            f"{what} must raise matvae.errors.InputError, but raised {type(error).__name__}: {error}"
        ) from error
    raise AssertionError(f"{what} must raise matvae.errors.InputError, but was accepted.")
