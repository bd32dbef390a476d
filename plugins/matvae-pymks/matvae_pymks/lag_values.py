"""Cropping of stored 2-point statistics, and checks of the properties that their values must have."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from matvae.errors import InputError

# Largest asymmetry of autocorrelations, relative to their largest value; that of single precision is well below it.
TOLERANCE = 1e-4
_ADVICE = (
    "If zero lag is at the corner, shift the array with numpy.fft.fftshift over its lag axes; if the first correlation "
    "is between different states, name the pairs with correlations=[(h, h'), ...]."
)


def crop(block: np.ndarray, ranges: Sequence[tuple[int, int]]) -> np.ndarray:
    """Crop ``(sample, *lag, correlation)`` to a number of lags below zero lag, and from it on, along each axis."""
    zero_lags = [n // 2 for n in block.shape[1:-1]]
    window = (slice(zero - below, zero + above) for zero, (below, above) in zip(zero_lags, ranges, strict=True))
    return block[(slice(None), *window)]


def check_values(block: np.ndarray, autocorrelations: Sequence[int], coverage: np.ndarray, periodic: bool) -> None:
    """Refuse arrays that cannot be statistics with central zero lag.

    Parameters
    ----------
    block : array ``(sample, *lag, correlation)``
        Lags that matvae uses.
    autocorrelations : sequence of int
        Indices of the correlations that are autocorrelations.
    coverage : array ``(*lag)`` or ``()``
        Number of voxel pairs at each lag relative to the number of voxels: values from few pairs are inaccurate.
    periodic : bool
        Whether the statistics are periodic.

    Raises
    ------
    InputError
        If a value is not finite, or an autocorrelation differs from its inversion about the centre or, if periodic, is
        larger at a position where unshifted arrays have zero lag.
    """
    if not np.isfinite(block).all():
        raise InputError(
            "The value at every lag must be finite, but the statistics contain NaN or infinity, as they do at lags for "
            "which a mask leaves no voxel pairs. Pass a cutoff that excludes those lags."
        )
    centre = tuple(n // 2 for n in block.shape[1:-1])
    for k in autocorrelations:
        f = block[..., k] * coverage
        tolerance = TOLERANCE * np.abs(f).max()
        difference = np.abs(f - inverted(f)).max()
        if difference > tolerance:
            raise InputError(
                f"Correlation {k} must be an autocorrelation with zero lag in the centre, f(-r) = f(r), but the two "
                f"differ by up to {difference:.3g}. {_ADVICE}"
            )
        # Along an even axis an unshifted array has the same symmetry.
        for position in itertools.product(*((0, middle) for middle in centre)):
            if periodic and bool((f[(slice(None), *position)] > f[(slice(None), *centre)] + tolerance).any()):
                raise InputError(
                    f"Zero lag, where an autocorrelation is largest, must be in the centre at {centre}, but "
                    f"correlation {k} is larger at {position}. {_ADVICE}"
                )


def check_repeated(block: np.ndarray, axes: Sequence[int]) -> None:
    """Refuse statistics whose last lag along an axis, N/2, does not equal the first, -N/2.

    Raises
    ------
    InputError
        With the axis.
    """
    for axis in axes:
        first, last = np.take(block, 0, axis), np.take(block, -1, axis)
        if np.abs(first - last).max() > TOLERANCE * np.abs(block).max():
            raise InputError(
                f"Axis {axis} has one lag more than voxels, as in PyMKS's master branch, which repeats lag N/2, but "
                "its first and last lags differ. Pass the shape of one structure as sample_shape, and periodic=False "
                "if the statistics are not periodic."
            )


def inverted(f: np.ndarray) -> np.ndarray:
    """Statistics ``(sample, *lag)`` at the opposite lags; lag -N/2 of an even periodic axis is its own opposite."""
    axes = tuple(range(1, f.ndim))
    even = tuple(axis for axis in axes if f.shape[axis] % 2 == 0)
    return np.roll(np.flip(f, axes), (1,) * len(even), even)
