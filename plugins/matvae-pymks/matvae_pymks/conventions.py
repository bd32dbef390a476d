"""Lag conventions of stored 2-point statistics, and conversion to those of matvae.

matvae keeps N lags along a periodic axis of N voxels and 2N-1 along others. PyMKS 0.4.1 crops every axis to the same
2c+1 lags, where c is (min N - 1)//2 or a smaller cutoff. Its unreleased master branch repeats lag -N/2 of an even
periodic axis at the other end (N+1 lags), and along an even non-periodic axis keeps the lags -N and N, for which there
are no voxel pairs (2N+1 lags). All agree within a cutoff window, and all put zero lag at index L//2 of L lags.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matvae.errors import InputError
from matvae.estimator.fitted import lazily
from matvae.estimator.sample_layout import as_given
from matvae.estimator.samples import check_dask
from matvae.grid import Grid
from matvae.stats.correlate import pair_counts
from matvae.stats.lags import Cutoff, lag_ranges, lag_shape, resolve_cutoff
from matvae.stats.map_samples import is_dask
from matvae.warn import warn

from .lag_values import check_repeated, check_values, crop

MATVAE = "matvae"
RELEASE = "pymks-0.4.1"
MASTER = "pymks-master"
WINDOW = "window"

# Number of samples of a dask array whose values are checked.
N_CHECKED = 16

Correlations = Sequence[Sequence[int]] | None


@dataclass(frozen=True)
class StatisticsConvention:
    """Set of lags that stored statistics contain.

    Parameters
    ----------
    name : str
        ``"matvae"``: every lag, once. ``"pymks-master"``: every lag, with the outermost of even axes repeated or empty.
        ``"pymks-0.4.1"``: as many lags along every axis as along the smallest. ``"window"``: lags up to another cutoff.
        Where conventions agree, the first of these.
    lags : tuple of int
        Number of stored lags along each axis.
    cutoff : tuple of int or None
        Value per axis to pass to matvae as `cutoff`; None if no lag is missing.
    """

    name: str
    lags: tuple[int, ...]
    cutoff: tuple[int, ...] | None


def check_statistics(
    array: Any,
    *,
    sample_shape: Sequence[int],
    cutoff: Cutoff = None,
    periodic: bool = True,
    n_correlations: int | None = None,
    correlations: Correlations = None,
) -> StatisticsConvention:
    """Determine the convention of stored 2-point statistics, and refuse arrays that follow none.

    Parameters
    ----------
    array : array ``(sample, *lag, correlation)`` or ``(sample, *lag)``
        numpy or dask; the first 16 samples of a dask array are read.
    sample_shape : sequence of int
        Shape of one structure, in voxels.
    cutoff : int or sequence of int, optional
        Cutoff in voxels with which the statistics were computed, if known; they must then contain exactly these lags.
    periodic : bool
        Whether they were computed with periodic boundaries.
    n_correlations : int, optional
        Expected number of correlations.
    correlations : list of (int, int), optional
        Pairs of local states. By default the first correlation is assumed to be an autocorrelation, as in the defaults
        of both matvae and PyMKS, and other correlations are not checked.

    Returns
    -------
    StatisticsConvention

    Raises
    ------
    InputError
        If no convention yields this shape; if the numbers of lags differ between axes, or there is only one, and no
        cutoff confirms this; or if an autocorrelation is not symmetric about a central zero lag.
    """
    stored, space, convention = _understand(array, sample_shape, periodic, n_correlations, correlations)
    _check_cutoff(space, convention, periodic, cutoff)
    checked = stored[:N_CHECKED].compute() if is_dask(stored) else stored
    _convert(checked, space, convention, convention.cutoff, periodic, correlations)
    return convention


def to_matvae_statistics(
    array: Any,
    *,
    sample_shape: Sequence[int],
    cutoff: Cutoff = None,
    periodic: bool = True,
    n_correlations: int | None = None,
    correlations: Correlations = None,
) -> Any:
    """Convert 2-point statistics from PyMKS, complete or cropped, to matvae's convention.

    Parameters
    ----------
    array, sample_shape, periodic, n_correlations, correlations
        As in `check_statistics`.
    cutoff : int or sequence of int, optional
        Lags to keep, from -c to c voxels; None keeps all that are stored.

    Returns
    -------
    array ``(sample, *lag, correlation)``
        numpy, or lazy dask for dask. Without a `cutoff` it contains every lag or, if some were cropped when the
        statistics were computed, those up to the largest common cutoff, which `check_statistics` returns.

    Warns
    -----
    UserWarning
        Without a `cutoff`, if lags were cropped, such as lag -N/2 of even axes or the far lags of the longer axes. They
        cannot be recovered; the warning names the cutoff to pass to matvae.

    Raises
    ------
    InputError
        As in `check_statistics`, or if requested lags are not stored. Invalid values of a dask array are detected when
        it is computed.
    """
    stored, space, convention = _understand(array, sample_shape, periodic, n_correlations, correlations)
    kept, available = resolve_cutoff(space, periodic, cutoff), convention.cutoff
    if kept is None:
        _check_cutoff(space, convention, periodic, None)
        kept = available
    elif available is not None and any(c > largest for c, largest in zip(kept, available, strict=True)):
        raise InputError(
            f"Lags up to {kept} voxels are requested, but the statistics only contain lags up to {available}. Pass a "
            "smaller cutoff, or compute the statistics again from the structures."
        )
    if cutoff is None and available is not None:
        warn(
            f"These statistics contain {convention.lags} of the {lag_shape(space, periodic)} lags of structures of "
            f"shape {space}; those cropped when they were computed cannot be recovered. Pass cutoff={available} to "
            "matvae."
        )
    out_shape = (*lag_shape(space, periodic, kept), stored.shape[-1])
    return lazily(
        stored,
        lambda block: _convert(block, space, convention, kept, periodic, correlations),
        out_shape,
        stored.dtype,
    )


def _understand(
    array: Any, sample_shape: Sequence[int], periodic: bool, n_correlations: int | None, correlations: Correlations
) -> tuple[Any, tuple[int, ...], StatisticsConvention]:
    """Statistics with a correlation axis, the shape of one structure, and the convention that the lags follow."""
    space = Grid(tuple(np.atleast_1d(sample_shape))).shape
    array = as_given(array).array
    array = check_dask(array) if is_dask(array) else array
    shape = tuple(array.shape)
    if len(shape) - len(space) not in (1, 2):
        raise InputError(
            f"Statistics of structures of shape {space} are expected as (sample, *lag, correlation) or (sample, *lag), "
            f"but an array of shape {shape} was given. Restore the axes of flattened statistics with reshape, and add "
            "the sample axis of a single one with array[None]."
        )
    if array.dtype.kind != "f" or min(shape) == 0:
        raise InputError(
            f"2-point statistics are real numbers, but an array of type {array.dtype} and shape {shape} was given. "
            "Take the real part of an inverse Fourier transform, and convert integers with astype('float64')."
        )
    stored = array if len(shape) == len(space) + 2 else array[..., None]
    n_stored = stored.shape[-1]
    n_expected = n_correlations if correlations is None else len(correlations)
    if n_expected not in (None, n_stored):
        raise InputError(
            f"{n_expected} correlations are expected, but the array of shape {shape} has {n_stored} along its last "
            "axis. Pass the pairs with which the statistics were computed."
        )
    return stored, space, _convention(space, shape[1 : 1 + len(space)], periodic)


def _convention(space: tuple[int, ...], lags: tuple[int, ...], periodic: bool) -> StatisticsConvention:
    complete = lag_shape(space, periodic)
    extra = [0 if size % 2 else 1 if periodic else 2 for size in space]
    master = tuple(n + more for n, more in zip(complete, extra, strict=True))
    if lags in (complete, master):
        return StatisticsConvention(MATVAE if lags == complete else MASTER, lags, None)
    if all(n % 2 == 1 and n <= largest for n, largest in zip(lags, complete, strict=True)):
        cutoff = tuple(n // 2 for n in lags)
        is_release = set(cutoff) == {(min(space) - 1) // 2}
        return StatisticsConvention(RELEASE if is_release else WINDOW, lags, cutoff)
    raise InputError(
        f"{'Periodic' if periodic else 'Non-periodic'} statistics of structures of shape {space} have {complete} lags "
        f"(matvae), {master} (PyMKS master), or odd numbers of lags with a cutoff (PyMKS 0.4.1 always), but {lags} "
        "were given. Pass the shape of one structure, with its axes in the order of the lags, and the value of "
        "periodic with which they were computed."
    )


def _check_cutoff(space: tuple[int, ...], convention: StatisticsConvention, periodic: bool, cutoff: Cutoff) -> None:
    """Refuse lags that do not match the cutoff or, without one, ambiguous windows."""
    expected, available = resolve_cutoff(space, periodic, cutoff), convention.cutoff
    if expected is not None and convention.lags != tuple(2 * c + 1 for c in expected):
        raise InputError(
            f"With cutoff={cutoff} statistics have {tuple(2 * c + 1 for c in expected)} lags, but {convention.lags} "
            "were given. Pass the cutoff with which they were computed, or None to infer it from their shape."
        )
    if expected is None and available is not None and (len(set(available)) > 1 or 0 in available):
        raise InputError(
            f"{convention.lags} lags may be a window of the statistics of structures of shape {space}, but if their "
            "numbers differ between axes, or there is only zero lag, the axes may as well be permuted. Pass "
            f"cutoff={available} to confirm the window, or correct sample_shape."
        )


def _convert(
    block: np.ndarray,
    space: tuple[int, ...],
    convention: StatisticsConvention,
    cutoff: tuple[int, ...] | None,
    periodic: bool,
    correlations: Correlations,
) -> np.ndarray:
    """Crop statistics ``(sample, *lag, correlation)`` to the lags that matvae uses, and check their values."""
    if convention.name == MASTER and periodic:
        check_repeated(block, [axis for axis, size in enumerate(space, start=1) if size % 2 == 0])
    cropped = crop(block, lag_ranges(space, periodic, cutoff))
    pairs = [(0, 0)] if correlations is None else correlations
    coverage = pair_counts(space, periodic=periodic, cutoff=cutoff).numpy() / math.prod(space)
    autocorrelations = [k for k, (first, second) in enumerate(pairs) if first == second]
    check_values(cropped, autocorrelations, coverage, periodic)
    return cropped
