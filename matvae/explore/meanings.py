"""Meanings of latent components: the properties of training windows with which they are correlated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..grid import Grid

# Correlation coefficients below this say little, and more than so many properties confuse.
LEAST_CORRELATION, MOST_NAMED = 0.3, 3


def correlated(column: np.ndarray, features: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Name the features with which a latent component is most closely correlated.

    Parameters
    ----------
    column : ndarray ``(window,)``
    features : mapping of str to ndarray ``(window,)``
        Windows with NaN are left out.

    Returns
    -------
    list of dict
        ``label`` and Pearson's coefficient ``r``, the largest magnitude first.
    """
    found = []
    for label, values in features.items():
        known = np.isfinite(values)
        if known.sum() > 2 and values[known].std() > 0 and column[known].std() > 0:
            found.append((label, float(np.corrcoef(column[known], values[known])[0, 1])))
    found = sorted((each for each in found if abs(each[1]) >= LEAST_CORRELATION), key=lambda each: -abs(each[1]))
    return [{"label": label, "r": r} for label, r in found[:MOST_NAMED]]


def anisotropies(structures: np.ndarray, grid: Grid) -> dict[str, np.ndarray]:
    """Elongation of features along each axis, between -1 and 1; 0 if interfaces are the same along all axes.

    Parameters
    ----------
    structures : ndarray ``(window, *space)``
        Labels.
    grid : Grid

    Returns
    -------
    dict of str to ndarray ``(window,)``
        One axis less than there are, since the elongations add up to zero.
    """
    shares = np.stack(
        [(np.diff(structures, axis=1 + axis) != 0).reshape(len(structures), -1).mean(1) for axis in range(grid.ndim)]
    )
    mean = shares.mean(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        elongation = (mean - shares) / mean
    names = (grid.axes or ())[-1:0:-1]
    return {f"elongation along {name}": elongation[grid.ndim - 1 - k] for k, name in enumerate(names)}
