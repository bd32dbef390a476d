"""Values of stored 2-point statistics: cut to the lags that matvae uses, and checked for what must hold of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from matvae.errors import InputError

# Statistics in single precision are symmetric to well within this share of their largest value.
TOLERANCE = 1e-4


def crop(block: np.ndarray, ranges: Sequence[tuple[int, int]]) -> np.ndarray:
    """Lags of ``(sample, *lag, correlation)``, so many below zero lag and so many from it on along each axis."""
    zeros = [n // 2 for n in block.shape[1:-1]]
    kept = (slice(zero - below, zero + above) for zero, (below, above) in zip(zeros, ranges, strict=True))
    return block[(slice(None), *kept)]


def check_values(block: np.ndarray, autocorrelations: Sequence[int], share: np.ndarray, periodic: bool) -> None:
    """Refuse what are no statistics with zero lag in the centre.

    Parameters
    ----------
    block : array ``(sample, *lag, correlation)``
        The lags matvae uses.
    autocorrelations : sequence of int
        Which correlations are of a local state with itself.
    share : array ``(*lag)`` or ``()``
        Share of the voxels that have a partner at each lag: values that rest on few pairs are inexact.
    periodic : bool
        Whether lags continue on the opposite side.

    Raises
    ------
    InputError
        If a value is not finite, or an autocorrelation differs from its mirror image about the centre or, if it is
        periodic, is larger where zero lag lies in an array that was not shifted.
    """
    if not np.isfinite(block).all():
        raise InputError(
            "A finite value is expected at every lag, but the statistics contain NaN or infinity, as they do where a "
            "mask leaves no pair of voxels. Pass a cutoff that leaves those lags out."
        )
    centre = tuple(n // 2 for n in block.shape[1:-1])
    for k in autocorrelations:
        f = block[..., k] * share
        allowed = TOLERANCE * np.abs(f).max()
        difference = np.abs(f - mirrored(f)).max()
        if difference > allowed:
            raise InputError(
                f"Correlation {k} is expected to be an autocorrelation with zero lag in the centre, f(-r) = f(r), but "
                f"the two differ by up to {difference:.3g}. " + _ADVICE
            )
        # Along an even axis an array that was not shifted has that symmetry as well.
        for place in itertools.product(*((0, middle) for middle in centre)):
            if periodic and bool((f[(slice(None), *place)] > f[(slice(None), *centre)] + allowed).any()):
                raise InputError(
                    f"Zero lag is expected in the centre, at {centre}, where an autocorrelation is largest, but "
                    f"correlation {k} is larger at {place}. " + _ADVICE
                )


_ADVICE = (
    "If zero lag is at the corner, shift the array with numpy.fft.fftshift over its lag axes; if the first correlation "
    "is between different states, name the pairs with correlations=[(h, h'), ...]."
)


def check_repeated(block: np.ndarray, axes: Sequence[int]) -> None:
    """Refuse statistics whose last lag along an axis, N/2, is not its first, -N/2.

    Raises
    ------
    InputError
        Naming the axis.
    """
    for axis in axes:
        first, last = np.take(block, 0, axis), np.take(block, -1, axis)
        if np.abs(first - last).max() > TOLERANCE * np.abs(block).max():
            raise InputError(
                f"Along axis {axis} there is one lag more than voxels, as PyMKS's master has it for lag N/2, but the "
                "first and the last lag differ. Pass the shape of one structure as sample_shape, and periodic=False if "
                "the statistics are not periodic."
            )


def mirrored(f: np.ndarray) -> np.ndarray:
    """``(sample, *lag)`` at the opposite lags; lag -N/2 of an even axis is its own opposite on the torus."""
    axes = tuple(range(1, f.ndim))
    even = tuple(axis for axis in axes if f.shape[axis] % 2 == 0)
    return np.roll(np.flip(f, axes), (1,) * len(even), even)
