"""Checks of compound parameters of generators: each returns plain Python numbers, or states what was expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

from ...errors import InputError
from ...validate import is_integer


def integer_range(name: str, value: Any, *, low: int) -> tuple[int, int]:
    """Return (lowest, highest); a single integer stands for both."""
    pair = [value, value] if is_integer(value) else _as_list(value)
    if len(pair) != 2 or not all(is_integer(end) for end in pair) or not low <= pair[0] <= pair[1]:
        raise InputError(
            f"{name} must be an integer of at least {low}, or a pair (lowest, highest) of such integers, "
            f"but {value!r} was given."
        )
    return int(pair[0]), int(pair[1])


def number_range(name: str, value: Any, *, above: float, up_to: float) -> tuple[float, float]:
    """Return (low, high) with ``above < low <= high <= up_to``."""
    pair = _as_list(value)
    if len(pair) != 2 or not all(_is_finite(end) for end in pair) or not above < pair[0] <= pair[1] <= up_to:
        raise InputError(
            f"{name} must be a pair (low, high) with {above:g} < low <= high <= {up_to:g}, but {value!r} was given."
        )
    return float(pair[0]), float(pair[1])


def per_axis(name: str, value: Any, axes: Sequence[str]) -> tuple[float, ...]:
    """Return one positive number for each axis; a single number stands for all."""
    numbers = [value] * len(axes) if _is_finite(value) else _as_list(value)
    if len(numbers) != len(axes) or not all(_is_finite(number) and number > 0 for number in numbers):
        raise InputError(
            f"{name} must be one positive number, or one for each of the axes {', '.join(axes)}, "
            f"but {value!r} was given."
        )
    return tuple(float(number) for number in numbers)


def fractions(name: str, value: Any) -> tuple[float, ...]:
    """Return volume fractions: two or more positive numbers that sum to 1."""
    numbers = _as_list(value)
    are_positive = all(_is_finite(number) and number > 0 for number in numbers)
    if len(numbers) < 2 or not are_positive or abs(math.fsum(numbers) - 1) > 1e-6:
        raise InputError(
            f"{name} must contain one positive number for each of at least two phases, which sum to 1, "
            f"but {value!r} was given."
        )
    return tuple(float(number) for number in numbers)


def _is_finite(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _as_list(value: Any) -> list[Any]:
    return list(value) if hasattr(value, "__len__") and not isinstance(value, str) else []
