"""Which lags statistics have: all of them, or a symmetric window up to a cutoff."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InputError

Cutoff = int | Sequence[int] | None


def check_periodic(periodic: Any) -> None:
    """Refuse anything but True and False.

    Raises
    ------
    InputError
        If `periodic` is something else, such as a text or one value an axis.
    """
    if not isinstance(periodic, bool | np.bool_):
        raise InputError(
            f"periodic must be True or False, for all axes alike, but {periodic!r} was given. Pass False if "
            "any axis does not continue on its opposite side."
        )


def resolve_cutoff(shape: Sequence[int], periodic: bool, cutoff: Cutoff) -> tuple[int, ...] | None:
    """Check a cutoff: None, one for all axes, or one an axis, in voxels.

    Raises
    ------
    InputError
        If `periodic` is not a bool, the number of values does not match the axes, a value is not an integer,
        or a window of 2c+1 lags does not exist.
    """
    check_periodic(periodic)
    if cutoff is None:
        return None
    cuts = _integers(cutoff, len(shape))
    if cuts is None or len(cuts) != len(shape):
        raise InputError(
            f"cutoff must be one integer, or one for each of the {len(shape)} axes, but {cutoff!r} was "
            "given. It counts voxels; pass None for every lag there is."
        )
    largest = tuple((n - 1) // 2 if periodic else n - 1 for n in shape)
    if any(not 0 <= c <= top for c, top in zip(cuts, largest, strict=True)):
        kind = "periodic" if periodic else "non-periodic"
        raise InputError(
            f"cutoff={cutoff} asks for lags beyond the window: {kind} statistics of shape {tuple(shape)} "
            f"have symmetric lags up to {largest}. Choose a smaller cutoff, or None for every lag there is."
        )
    return cuts


def _integers(cutoff: int | Sequence[int], n_axes: int) -> tuple[int, ...] | None:
    if isinstance(cutoff, bool | np.bool_ | str):
        return None
    try:
        return (operator.index(cutoff),) * n_axes  # type: ignore[arg-type]
    except TypeError:
        pass
    try:
        return tuple(operator.index(c) for c in cutoff)  # type: ignore[union-attr]
    except TypeError:
        return None


def lag_ranges(shape: Sequence[int], periodic: bool, cutoff: Cutoff) -> tuple[tuple[int, int], ...]:
    """Number of negative and of non-negative lags kept along each axis."""
    cuts = resolve_cutoff(shape, periodic, cutoff)
    if cuts is not None:
        return tuple((c, c + 1) for c in cuts)
    return tuple((n // 2, n - n // 2) if periodic else (n - 1, n) for n in shape)


def lag_shape(shape: Sequence[int], periodic: bool = True, cutoff: Cutoff = None) -> tuple[int, ...]:
    """Number of lags along each axis: N when periodic, 2N-1 when not, 2c+1 with a cutoff c."""
    return tuple(negative + positive for negative, positive in lag_ranges(shape, periodic, cutoff))
