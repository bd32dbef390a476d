"""Stored 2-point statistics: which convention they follow, and how they become the arrays matvae uses.

matvae keeps N lags along a periodic axis of N voxels and 2N-1 along others. PyMKS 0.4.1 crops every axis to the same
2c+1 lags, c = (min N - 1)//2 or a smaller cutoff. Its unreleased master repeats lag -N/2 of an even periodic axis at
the other end (N+1 lags), and along an even non-periodic axis keeps the lags -N and N, at which there are no pairs of
voxels (2N+1 lags). All agree within a cutoff window, and all put zero lag at index L//2 of L lags.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matvae.errors import InputError
from matvae.estimator.fitted import lazily
from matvae.estimator.sample_layout import as_array, check_dask
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

# Of a dask array so many samples are read to check values.
SAMPLES_READ = 16

Correlations = Sequence[Sequence[int]] | None


@dataclass(frozen=True)
class StatisticsConvention:
    """Which lags stored statistics hold.

    Parameters
    ----------
    name : str
        ``"matvae"``: every lag there is, once. ``"pymks-master"``: every lag, and the outermost of even axes twice or
        empty. ``"pymks-0.4.1"``: along every axis as many lags as along the smallest. ``"window"``: lags up to another
        cutoff. Where conventions agree, the first of these.
    lags : tuple of int
        Number of lags along each axis, as stored.
    cutoff : tuple of int or None
        What matvae needs as `cutoff`, one an axis; None where no lag is lacking.
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
    """Tell which convention stored 2-point statistics follow, and refuse what follows none.

    Parameters
    ----------
    array : array ``(sample, *lag, correlation)`` or ``(sample, *lag)``
        numpy or dask; of a dask array the first 16 samples are read.
    sample_shape : sequence of int
        Shape of one structure, in voxels.
    cutoff : int or sequence of int, optional
        Cutoff in voxels with which the statistics were made, if known; they must then hold exactly these lags.
    periodic : bool
        Whether they were made with periodic boundaries.
    n_correlations : int, optional
        How many correlations are expected.
    correlations : list of (int, int), optional
        The pairs of local states. By default the first correlation is taken for an autocorrelation, as it is in the
        defaults of both matvae and PyMKS. Of other correlations nothing is known that could be checked.

    Returns
    -------
    StatisticsConvention

    Raises
    ------
    InputError
        If no convention gives such a shape; if lags differ between axes, or there is one only, and no cutoff says that
        this is meant; or if an autocorrelation is not symmetric about a zero lag in the centre.
    """
    stored, space, convention = _understand(array, sample_shape, periodic, n_correlations, correlations)
    _check_cutoff(space, convention, periodic, cutoff)
    some = stored[:SAMPLES_READ].compute() if is_dask(stored) else stored
    _convert(some, space, convention, convention.cutoff, periodic, correlations)
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
    """Statistics of PyMKS, whole or cut off, as the arrays that matvae uses.

    Parameters
    ----------
    array, sample_shape, periodic, n_correlations, correlations
        As in `check_statistics`.
    cutoff : int or sequence of int, optional
        Lags to keep, from -c to c voxels; None keeps all that are stored.

    Returns
    -------
    array ``(sample, *lag, correlation)``
        numpy, or lazy dask for dask. Without a `cutoff` every lag there is, or, if some were cropped when the
        statistics were made, those up to the largest common cutoff, as `check_statistics` names it.

    Warns
    -----
    UserWarning
        Without a `cutoff`, if lags were cropped: lag -N/2 of even axes, say, or the far lags of the longer axes. They
        cannot be had back; the warning names the cutoff to pass to matvae.

    Raises
    ------
    InputError
        As in `check_statistics`, or if lags are asked for that are not stored. Wrong values in a dask array are found
        when it is computed.
    """
    stored, space, convention = _understand(array, sample_shape, periodic, n_correlations, correlations)
    kept, held = resolve_cutoff(space, periodic, cutoff), convention.cutoff
    if kept is None:
        _check_cutoff(space, convention, periodic, None)
        kept = held
    elif held is not None and any(c > most for c, most in zip(kept, held, strict=True)):
        raise InputError(
            f"Lags up to {kept} voxels are asked for, but the statistics hold lags up to {held} only. Pass a smaller "
            "cutoff, or compute the statistics again from the structures."
        )
    if cutoff is None and held is not None:
        warn(
            f"These statistics hold {convention.lags} of the {lag_shape(space, periodic)} lags of structures of shape "
            f"{space}; what was cropped when they were made cannot be had back. Pass cutoff={held} to matvae."
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
    """The array with an axis of correlations, the shape of one structure, and the convention by shape."""
    space = Grid(tuple(np.atleast_1d(sample_shape))).shape
    array = as_array(array)
    array = check_dask(array) if is_dask(array) else array
    shape = tuple(array.shape)
    if len(shape) - len(space) not in (1, 2):
        raise InputError(
            f"Statistics of structures of shape {space} are expected as (sample, *lag, correlation) or (sample, *lag), "
            f"but an array of shape {shape} was given. Restore the axes of flattened statistics with reshape; a single "
            "one gets its sample axis by array[None]."
        )
    if array.dtype.kind != "f" or min(shape) == 0:
        raise InputError(
            f"2-point statistics are real numbers, but an array of type {array.dtype} and shape {shape} was given. "
            "Take the real part of what a Fourier transform gave, and convert integers with astype('float64')."
        )
    stored = array if len(shape) == len(space) + 2 else array[..., None]
    n_given = stored.shape[-1]
    n_expected = n_correlations if correlations is None else len(correlations)
    if n_expected not in (None, n_given):
        raise InputError(
            f"{n_expected} correlations are expected, but the array of shape {shape} holds {n_given} along its last "
            "axis. Pass the pairs with which the statistics were made."
        )
    return stored, space, _convention(space, shape[1 : 1 + len(space)], periodic)


def _convention(space: tuple[int, ...], lags: tuple[int, ...], periodic: bool) -> StatisticsConvention:
    every = lag_shape(space, periodic)
    added = [0 if size % 2 else 1 if periodic else 2 for size in space]
    master = tuple(n + more for n, more in zip(every, added, strict=True))
    if lags in (every, master):
        return StatisticsConvention(MATVAE if lags == every else MASTER, lags, None)
    if all(n % 2 == 1 and n <= most for n, most in zip(lags, every, strict=True)):
        held = tuple(n // 2 for n in lags)
        cropped = set(held) == {(min(space) - 1) // 2}
        return StatisticsConvention(RELEASE if cropped else WINDOW, lags, held)
    raise InputError(
        f"{'Periodic' if periodic else 'Non-periodic'} statistics of structures of shape {space} have lags {every} "
        f"(matvae), {master} (PyMKS master), or odd numbers of them with a cutoff (PyMKS 0.4.1 always), but {lags} "
        "were given. Pass the shape of one structure, its axes in the order of the lags, and periodic as it was."
    )


def _check_cutoff(space: tuple[int, ...], convention: StatisticsConvention, periodic: bool, cutoff: Cutoff) -> None:
    """Refuse another cutoff than the one named, and windows that are not safe to guess."""
    cuts, held = resolve_cutoff(space, periodic, cutoff), convention.cutoff
    if cuts is not None and convention.lags != tuple(2 * c + 1 for c in cuts):
        raise InputError(
            f"With cutoff={cutoff} the statistics hold {tuple(2 * c + 1 for c in cuts)} lags, but {convention.lags} "
            "were given. Pass the cutoff with which they were made, or None to find it by their shape."
        )
    if cuts is None and held is not None and (len(set(held)) > 1 or 0 in held):
        raise InputError(
            f"Lags of shape {convention.lags} may be a window of the statistics of structures of shape {space}, but a "
            "window that differs between axes, or holds zero lag only, may as well be permuted axes or something else. "
            f"Pass cutoff={held} if this is meant, or correct sample_shape."
        )


def _convert(
    block: np.ndarray,
    space: tuple[int, ...],
    convention: StatisticsConvention,
    cutoff: tuple[int, ...] | None,
    periodic: bool,
    correlations: Correlations,
) -> np.ndarray:
    """The lags matvae uses, of numpy statistics ``(sample, *lag, correlation)``, checked."""
    if convention.name == MASTER and periodic:
        check_repeated(block, [axis for axis, size in enumerate(space, start=1) if size % 2 == 0])
    kept = crop(block, lag_ranges(space, periodic, cutoff))
    pairs = [(0, 0)] if correlations is None else correlations
    share = pair_counts(space, periodic=periodic, cutoff=cutoff).numpy() / math.prod(space)
    check_values(kept, [k for k, (first, second) in enumerate(pairs) if first == second], share, periodic)
    return kept
