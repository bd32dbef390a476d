"""Fields of any magnitude: their statistics are computed in a unit in which squares and sums can be represented."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..errors import InputError

# Powers of two between which nothing overflows or underflows in single precision.
COMMON = 20
# Smaller values have statistics that relative errors do not tell from zero, see `relative_error`.
LEAST = 1e-6


def unit_of(fields: Tensor) -> float:
    """Return the power of two in which fields ``(sample, state, *space)`` are of order one; 1 for common magnitudes."""
    largest = float(fields.detach().abs().max()) if fields.numel() else 0.0
    exponent = math.frexp(largest)[1]
    return 1.0 if largest == 0 or abs(exponent) <= COMMON else math.ldexp(1.0, exponent)


def in_squares_of(unit: float, statistics: Tensor) -> Tensor:
    """Return statistics of fields in `unit` in those of the fields themselves, which are `unit` squared larger.

    Raises
    ------
    InputError
        If their type cannot represent them.
    """
    if unit == 1.0:
        return statistics
    limits = torch.finfo(statistics.dtype)
    largest = float(statistics.detach().abs().max()) * unit * unit
    if not limits.tiny <= largest <= limits.max:
        raise InputError(
            f"2-point statistics of a field are products of two of its values, here up to {largest:.2g}, but "
            f"{str(statistics.dtype).removeprefix('torch.')} represents {limits.tiny:.2g} to {limits.max:.2g}. Express "
            "the field in another unit, such as GPa instead of Pa."
        )
    # One after the other: the square alone may exceed the type.
    return statistics.mul_(unit).mul_(unit) if not statistics.requires_grad else statistics * unit * unit


def check_magnitude(largest: float, n_statistics: int) -> None:
    """Refuse fields for a model: errors of statistics are squares of products of values, in single precision.

    Parameters
    ----------
    largest : float
        Largest magnitude of a value.
    n_statistics : int
        Number of statistics of a sample, over which squares are added.

    Raises
    ------
    InputError
        If the sum can overflow or vanish.
    """
    most = (torch.finfo(torch.float32).max / n_statistics) ** 0.25
    if largest and not LEAST <= largest <= most:
        raise InputError(
            f"A model of 2-point statistics needs values of order one, here from {LEAST:.1g} to {most:.1g}, "
            f"but the largest is {largest:.2g}. Express the field in another unit, such as GPa instead of Pa."
        )
