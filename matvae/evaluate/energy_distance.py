"""Energy distance: how far apart the distributions are from which two sets of numbers or curves were drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import validate
from ..data.sample_blocks import samples_per_block
from ..errors import InputError

# Percentiles of the interval.
INTERVAL = (2.5, 97.5)


@dataclass(frozen=True)
class EnergyDistance:
    """Energy distance of two samples.

    Parameters
    ----------
    value : float
        Unbiased estimate, in the unit of the values. It can be slightly negative where distributions are equal.
    interval : (float, float) or None
        2.5th and 97.5th percentiles over bootstrap samples; None where none were drawn.
    """

    value: float
    interval: tuple[float, float] | None = None


def energy_distance(x: np.ndarray, y: np.ndarray, *, n_bootstrap: int = 0, random_state: int = 0) -> EnergyDistance:
    """Energy distance ``2 E|X - Y| - E|X - X'| - E|Y - Y'|`` between two distributions, estimated from samples of both.

    Parameters
    ----------
    x, y : array ``(sample,)`` or ``(sample, coordinate)``
        Numbers or curves. The distance of two curves is their root mean square difference.
    n_bootstrap : int
        Number of bootstrap samples, in which the members of both sets are drawn anew with replacement, as if they
        were independent: overlapping windows, or neighbouring ones of a single micrograph, give too short an interval.
    random_state : int
        Seed of the bootstrap. Equal seeds draw the same members for every measure.

    Returns
    -------
    EnergyDistance

    Raises
    ------
    InputError
        If a set has fewer than two members, values are not finite, or the coordinates differ.

    Notes
    -----
    Szekely & Rizzo, Journal of Statistical Planning and Inference 143, 1249 (2013). The means over ``|X - X'|`` exclude
    the pairs of a member with itself (U-statistic). Including them, as the V-statistic does, would add about
    ``(1/n + 1/m) E|X - X'|``, so that distances between sets of different sizes could not be compared. In bootstrap
    samples the pairs of a member with its own copies are excluded likewise. Where distributions are equal, the interval
    is wider than the scatter of the estimate, and its centre is above zero. Distances are computed in blocks of rows.
    """
    validate.integer("n_bootstrap", n_bootstrap, 0)
    x, y = _members(x), _members(y)
    if x.shape[1] != y.shape[1]:
        raise InputError(f"Curves of equal length are expected, but lengths {x.shape[1]} and {y.shape[1]} were given.")
    rng = np.random.default_rng(random_state)
    # The first row weights all members equally; the others hold how often each was drawn.
    weights_x, weights_y = (
        np.concatenate([np.ones((1, n)), rng.multinomial(n, np.full(n, 1 / n), size=n_bootstrap)])
        for n in (len(x), len(y))
    )
    between = _weighted_sums(x, y, weights_x, weights_y) / (len(x) * len(y))
    distances = 2 * between - _mean_within(x, weights_x) - _mean_within(y, weights_y)
    if n_bootstrap == 0:
        return EnergyDistance(float(distances[0]))
    low, high = np.nanpercentile(distances[1:], INTERVAL)
    return EnergyDistance(float(distances[0]), (float(low), float(high)))


def _members(values: np.ndarray) -> np.ndarray:
    members = np.asarray(values, dtype=np.float64)
    members = members[:, None] if members.ndim == 1 else members
    if members.ndim != 2 or len(members) < 2 or not np.isfinite(members).all():
        raise InputError(
            "Two or more finite numbers (sample,) or curves (sample, coordinate) are expected in each set, but an "
            f"array of shape {np.shape(values)} was given. Add structures, or leave out those without a value (NaN)."
        )
    # The Euclidean distance of these is a root mean square.
    return members / np.sqrt(members.shape[1])


def _mean_within(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean distance of different members ``(bootstrap,)``; NaN where a single member was drawn throughout."""
    pairs = weights.sum(axis=1) ** 2 - np.square(weights).sum(axis=1)
    return _weighted_sums(x, x, weights, weights) / np.where(pairs > 0, pairs, np.nan)


def _weighted_sums(x: np.ndarray, y: np.ndarray, weights_x: np.ndarray, weights_y: np.ndarray) -> np.ndarray:
    """Sums ``(bootstrap,)`` of ``w_i |x_i - y_j| w_j`` over all pairs."""
    # Slow to import.
    from scipy.spatial.distance import cdist

    size = samples_per_block(8 * max(len(y), len(weights_y)))
    sums = np.zeros(len(weights_x))
    for start in range(0, len(x), size):
        rows = slice(start, start + size)
        sums += np.einsum("ib,bi->b", cdist(x[rows], y) @ weights_y.T, weights_x[:, rows])
    return sums
