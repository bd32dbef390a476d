"""Checks of single parameters, each with one sentence that says what was expected and what was given."""

from __future__ import annotations

import math
from collections.abc import Collection
from numbers import Integral, Real
from typing import Any

import numpy as np

from .errors import InputError


def is_integer(value: Any) -> bool:
    """Whether a value is an integer of Python or numpy; True and False are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def integer(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Return an integer of at least `least`, and at most `most` where that is given.

    Raises
    ------
    InputError
        If the value is something else; the message begins with `name`.
    """
    if not is_integer(value) or value < least or (most is not None and value > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InputError(f"{name} must be an integer {limits}, but {value!r} was given.")
    return int(value)


def real(name: str, value: Any, least: float, most: float = math.inf, *, exclusive: bool = False) -> float:
    """Return a finite real number from `least` to `most`; `exclusive` leaves `least` itself out.

    Raises
    ------
    InputError
        If the value is something else; the message begins with `name`.
    """
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_) and math.isfinite(value)
    if not number or not least <= value <= most or (exclusive and value == least):
        limits = f"above {least}" if exclusive else f"at least {least}"
        if math.isfinite(most):
            limits = f"from {least} to {most}"
        raise InputError(f"{name} must be a number {limits}, but {value!r} was given.")
    return float(value)


def boolean(name: str, value: Any) -> bool:
    """Return True or False, of Python or numpy.

    Raises
    ------
    InputError
        If the value is something else; the message begins with `name`.
    """
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name} must be True or False, but {value!r} was given.")
    return bool(value)


def choice(name: str, value: Any, choices: Collection[str]) -> str:
    """Return one of several strings.

    Raises
    ------
    InputError
        If the value is something else; the message begins with `name`.
    """
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"{name} must be one of {', '.join(map(repr, choices))}, but {value!r} was given.")
    return value
