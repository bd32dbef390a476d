"""Distances between statistics."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch

from ..errors import InputError

Array = TypeVar("Array", np.ndarray, torch.Tensor)

# Avoids 0/0 where both statistics are those of a structure that lacks the phase.
TINY = 1e-12


def statistics_distance(f: Array, g: Array) -> Array:
    """Euclidean distance between two sets of statistics, per sample.

    Parameters
    ----------
    f, g : array ``(sample, *lag, correlation)``
        Statistics of the same structures, numpy or torch. A set of a single sample is compared with every sample of
        the other.

    Returns
    -------
    array ``(sample,)``
        ``||f - g||_2`` over all lags and correlations.

    Raises
    ------
    InputError
        If the two differ in their lags, correlations or number of samples.
    """
    _check_shapes(f, g)
    return _norm(f - g)


def relative_error(f: Array, g: Array) -> Array:
    """Distance of `g` from the true statistics `f` relative to the norm of `f`: ``||f - g||_2 / ||f||_2``.

    Parameters
    ----------
    f, g : array ``(sample, *lag, correlation)``
        True and approximate statistics, as in `statistics_distance`.

    Returns
    -------
    array ``(sample,)``
        For a structure that lacks the phase, and so has statistics of zero: one, or zero where `g` is zero, too.

    Raises
    ------
    InputError
        If the two differ in their lags, correlations or number of samples.
    """
    _check_shapes(f, g)
    distance, size = _norm(f - g), _norm(f)
    return distance / (size + distance * (size == 0) + TINY)


def _check_shapes(f: Array, g: Array) -> None:
    if f.ndim < 2 or f.shape[1:] != g.shape[1:] or (f.shape[0] != g.shape[0] and 1 not in (f.shape[0], g.shape[0])):
        raise InputError(
            "Two sets of statistics (sample, *lag, correlation) of the same shape are expected, but shapes "
            f"{tuple(f.shape)} and {tuple(g.shape)} were given. "
            "Compute both with the same periodic, cutoff and correlations."
        )


def _norm(f: Array) -> Array:
    flat = f.reshape(f.shape[0], -1)
    if isinstance(flat, torch.Tensor):
        return torch.linalg.vector_norm(flat, dim=1)
    return np.linalg.norm(flat, axis=1)
