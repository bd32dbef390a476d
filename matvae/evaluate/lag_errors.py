"""Errors of 2-point statistics per structure, over all lags or over short lags only.

Statistics are arrays ``(sample, *lag, correlation)``, numpy or torch, with zero lag at index n//2 along each axis. A
set of a single sample is compared with every sample of the other. `StatisticsError` pools errors over a set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import validate
from ..errors import InputError
from ..stats import relative_error, statistics_distance
from ..stats.metric import lag_lengths

# Balls of lags, in voxels, that are reported beside all lags: interfaces and nearest features.
SHORT_LAGS = (8, 16)


def centred_lag_error(f: Any, g: Any, *, mean: Any = None, max_lag: float | None = None) -> Any:
    """Error of each structure relative to that of predicting the mean, ``||f - g|| / ||f - mean||``.

    Parameters
    ----------
    f, g : array ``(sample, *lag, correlation)``
        True and approximate statistics.
    mean : array ``(*lag, correlation)``, optional
        Statistics of the prediction that has error 1, such as the mean of the training set; by default the mean of `f`.
    max_lag : float, optional
        Ignore lags longer than this, in voxels; the lags kept are a ball.

    Returns
    -------
    array ``(sample,)``
        Infinite for a structure that equals the mean where `g` does not, and 0 where both do.

    Raises
    ------
    InputError
        If shapes differ, or the ball does not fit into the lags.
    """
    _check_lags(f)
    centre = f.mean(0) if mean is None else mean
    if tuple(centre.shape) != tuple(f.shape[1:]):
        raise InputError(
            f"The mean needs the shape (*lag, correlation) {tuple(f.shape[1:])} of the statistics, but "
            f"{tuple(centre.shape)} was given."
        )
    error = statistics_distance(keep_lags(f, max_lag), keep_lags(g, max_lag))
    deviation = statistics_distance(keep_lags(f, max_lag), keep_lags(centre[None], max_lag))
    is_exact = (error == 0) & (deviation == 0)
    # Adding 1 where both are zero makes 0/0 zero; x/0 is infinite in both libraries.
    with np.errstate(divide="ignore"):
        return error / (deviation + is_exact)


def relative_lag_error(f: Any, g: Any, *, max_lag: float | None = None) -> Any:
    """Error of each structure relative to the norm of its statistics, ``||f - g|| / ||f||``, ``(sample,)``.

    Parameters, errors: as in `centred_lag_error`. It is small wherever volume fractions agree, since most of the norm
    is the squared volume fraction.
    """
    return relative_error(keep_lags(f, max_lag), keep_lags(g, max_lag))


def mean_absolute_lag_error(f: Any, g: Any, *, max_lag: float | None = None) -> Any:
    """Mean absolute difference relative to the mean, ``mean|f - g| / mean|f|``, of each structure, ``(sample,)``.

    Parameters, errors: as in `centred_lag_error`. Papers on diffusion models report this ratio for S2, often as a
    percentage. Like `relative_lag_error` it is dominated by the volume fraction. Infinite where only `f` is zero.
    """
    true, approximate = keep_lags(f, max_lag), keep_lags(g, max_lag)
    # The same check, and the same message, as in the other errors.
    statistics_distance(true, approximate)
    difference, size = abs(true - approximate).mean((1, 2)), abs(true).mean((1, 2))
    with np.errstate(divide="ignore"):
        return difference / (size + ((difference == 0) & (size == 0)))


def lag_errors(
    f: Any, g: Any, *, mean: Any = None, max_lags: Sequence[float] = SHORT_LAGS
) -> dict[str, dict[str, np.ndarray]]:
    """All errors, at all lags and at short ones.

    Parameters
    ----------
    f, g, mean
        As in `centred_lag_error`.
    max_lags : sequence of float
        Radii of the balls of short lags, in voxels. Those that do not fit into the lags are left out.

    Returns
    -------
    dict of str to dict
        ``"all"``, ``"8"``, ``"16"`` to ``centred``, ``relative`` and ``mean_absolute``, each a numpy array
        ``(sample,)``.

    Raises
    ------
    InputError
        As in `centred_lag_error`.
    """
    _check_lags(f)
    fitting = [radius for radius in max_lags if radius <= _largest_ball(f)]
    return {
        "all" if max_lag is None else f"{max_lag:g}": {
            "centred": np.asarray(centred_lag_error(f, g, mean=mean, max_lag=max_lag)),
            "relative": np.asarray(relative_lag_error(f, g, max_lag=max_lag)),
            "mean_absolute": np.asarray(mean_absolute_lag_error(f, g, max_lag=max_lag)),
        }
        for max_lag in (None, *fitting)
    }


def keep_lags(f: Any, max_lag: float | None) -> Any:
    """Keep the statistics of lags of at most `max_lag` voxels (None keeps all): ``(sample, lag, correlation)``.

    Raises
    ------
    InputError
        If the array has no axis of lags, or the ball of these lags does not fit into it.
    """
    _check_lags(f)
    flat = f.reshape(f.shape[0], -1, f.shape[-1])
    if max_lag is None:
        return flat
    radius = validate.real("max_lag", max_lag, 0)
    if radius > _largest_ball(f):
        raise InputError(
            f"Lags up to {radius:g} voxels do not fit into statistics of {tuple(f.shape[1:-1])} lags, which contain "
            f"a ball of {_largest_ball(f)}. Choose a smaller max_lag, or compute statistics with a larger cutoff."
        )
    return flat[:, np.flatnonzero(lag_lengths(f.shape[1:-1]) <= radius)]


def _largest_ball(f: Any) -> int:
    # The longest negative lag: of N periodic lags, N even, the longest positive lag N/2 is the same lag as -N/2.
    return min(int(n) // 2 for n in f.shape[1:-1])


def _check_lags(f: Any) -> None:
    if not 3 <= len(f.shape) <= 5:
        raise InputError(
            "2-point statistics (sample, *lag, correlation) with one to three axes of lags are expected, but an array "
            f"of shape {tuple(f.shape)} was given. Append an axis to a single correlation: f[..., None]."
        )
