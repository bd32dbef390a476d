"""Checks that generators share: each gives the value back in its plain form or says what was expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from ...errors import InputError


def integer(name: str, value: Any, *, low: int, high: int | None = None) -> int:
    """`value` as an int within ``low .. high``."""
    limits = f"of at least {low}" if high is None else f"from {low} to {high}"
    if not _whole(value) or value < low or (high is not None and value > high):
        raise InputError(f"{name} must be a whole number {limits}, but {value!r} was given.")
    return int(value)


def integer_range(name: str, value: Any, *, low: int) -> tuple[int, int]:
    """`value` as (lowest, highest); one number stands for both."""
    pair = [value, value] if _whole(value) else _sequence(value)
    if len(pair) != 2 or not all(_whole(v) for v in pair) or not low <= pair[0] <= pair[1]:
        raise InputError(
            f"{name} must be a whole number of at least {low}, or a pair (lowest, highest) of such numbers, "
            f"but {value!r} was given."
        )
    return int(pair[0]), int(pair[1])


def number_range(name: str, value: Any, *, above: float, up_to: float) -> tuple[float, float]:
    """`value` as (low, high) with ``above < low <= high <= up_to``."""
    pair = _sequence(value)
    if len(pair) != 2 or not all(_finite(v) for v in pair) or not above < pair[0] <= pair[1] <= up_to:
        raise InputError(
            f"{name} must be a pair (low, high) with {above:g} < low <= high <= {up_to:g}, but {value!r} was given."
        )
    return float(pair[0]), float(pair[1])


def per_axis(name: str, value: Any, axes: Sequence[str]) -> tuple[float, ...]:
    """`value` as one positive number for each axis; one number stands for all."""
    numbers = [value] * len(axes) if _finite(value) else _sequence(value)
    if len(numbers) != len(axes) or not all(_finite(v) and v > 0 for v in numbers):
        raise InputError(
            f"{name} must be one positive number, or one for each of the axes {', '.join(axes)}, "
            f"but {value!r} was given."
        )
    return tuple(float(v) for v in numbers)


def fractions(name: str, value: Any) -> tuple[float, ...]:
    """`value` as volume fractions: two or more positive numbers that sum to 1."""
    numbers = _sequence(value)
    if len(numbers) < 2 or not all(_finite(v) and v > 0 for v in numbers) or abs(math.fsum(numbers) - 1) > 1e-6:
        raise InputError(
            f"{name} must be one positive number for each phase, two phases at least, that sum to 1, "
            f"but {value!r} was given."
        )
    return tuple(float(v) for v in numbers)


def flag(name: str, value: Any) -> bool:
    """`value` as True or False."""
    if not isinstance(value, bool):
        raise InputError(f"{name} must be True or False, but {value!r} was given.")
    return value


def _whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _finite(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _sequence(value: Any) -> list[Any]:
    return list(value) if hasattr(value, "__len__") and not isinstance(value, str) else []
