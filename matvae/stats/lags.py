"""Lags of 2-point statistics: all of them, or a symmetric window up to a cutoff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from ..validate import is_integer

Cutoff = int | Sequence[int] | None


def check_periodic(periodic: Any) -> None:
    """Refuse anything but True and False.

    Raises
    ------
    InputError
        If `periodic` is something else, such as a string or one value per axis.
    """
    if not isinstance(periodic, bool | np.bool_):
        raise InputError(
            f"periodic must be True or False, for all axes alike, but {periodic!r} was given. "
            "Pass False if any axis does not continue on its opposite side."
        )


def resolve_cutoff(shape: Sequence[int], periodic: bool, cutoff: Cutoff) -> tuple[int, ...] | None:
    """Return one cutoff per axis, in voxels, or None where every lag is kept.

    Raises
    ------
    InputError
        If `periodic` is not a bool, the number of cutoffs does not match the axes, a cutoff is not an integer,
        or the window of 2c+1 lags does not fit.
    """
    check_periodic(periodic)
    if cutoff is None:
        return None
    cutoffs = _per_axis(cutoff, len(shape))
    if cutoffs is None:
        raise InputError(
            f"cutoff must be one integer, or one for each of the {len(shape)} axes, but {cutoff!r} was given. "
            "It counts voxels; pass None to keep every lag."
        )
    largest = tuple((n - 1) // 2 if periodic else n - 1 for n in shape)
    if any(not 0 <= c <= most for c, most in zip(cutoffs, largest, strict=True)):
        kind = "periodic" if periodic else "non-periodic"
        raise InputError(
            f"cutoff={cutoff} asks for lags beyond the window: {kind} statistics of shape {tuple(shape)} have "
            f"symmetric lags up to {largest}. Choose a smaller cutoff, or None to keep every lag."
        )
    return cutoffs


def _per_axis(cutoff: Any, n_axes: int) -> tuple[int, ...] | None:
    if is_integer(cutoff):
        return (int(cutoff),) * n_axes
    try:
        cutoffs = tuple(cutoff)
    except TypeError:
        return None
    if len(cutoffs) != n_axes or not all(map(is_integer, cutoffs)):
        return None
    return tuple(map(int, cutoffs))


def lag_ranges(shape: Sequence[int], periodic: bool, cutoff: Cutoff) -> tuple[tuple[int, int], ...]:
    """Return the numbers of negative and of non-negative lags along each axis."""
    cutoffs = resolve_cutoff(shape, periodic, cutoff)
    if cutoffs is not None:
        return tuple((c, c + 1) for c in cutoffs)
    return tuple((n // 2, n - n // 2) if periodic else (n - 1, n) for n in shape)


def lag_shape(shape: Sequence[int], periodic: bool = True, cutoff: Cutoff = None) -> tuple[int, ...]:
    """Return the number of lags along each axis: N if periodic, 2N-1 if not, 2c+1 with a cutoff c."""
    return tuple(negative + positive for negative, positive in lag_ranges(shape, periodic, cutoff))
