"""Integral range: how much volume counts as one independent observation, from the autocovariance of a phase.

For a stationary random medium with the autocovariance C(r), the mean over a window of the volume V has the variance

    Var = 1/V^2 sum_{x, x' in the window} C(x - x') = 1/V sum_r C(r) prod_a (1 - |r_a| / n_a)  ->  C(0) A / V,

where A = sum_r C(r) / C(0) is the integral range (Lantuejoul, Journal of Microscopy 161, 387 (1991); Kanit, Forest,
Galliet, Mounoury & Jeulin, International Journal of Solids and Structures 40, 3647 (2003)): a window holds V / A
independent observations of the volume fraction.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# Lags are taken to be uncorrelated where the correlation coefficient stays below this, or below its sampling noise.
LEAST_CORRELATION = 0.05
# Noise in units of its standard deviation.
NOISE_FACTOR = 3.0


@dataclass(frozen=True)
class Autocovariance:
    """Autocovariance of a phase up to the lags at which it has decayed; all lengths and volumes are in voxels.

    Parameters
    ----------
    values : Tensor ``(*lag)``
        At lags from -c to c along each axis; zero at lags that are taken to be uncorrelated.
    """

    values: Tensor

    @property
    def variance(self) -> float:
        """Autocovariance at zero lag, p (1 - p) for a phase of volume fraction p."""
        return float(self.values[tuple(n // 2 for n in self.values.shape)])

    @property
    def integral_range(self) -> float:
        """Volume of one independent observation; negative or zero if the phase is more regular than any random medium.

        For a phase without variance it is zero.
        """
        return float(self.values.sum()) / self.variance if self.variance > 0 else 0.0

    def variance_of_mean(self, window: Sequence[int]) -> float:
        """Variance of the mean over a window of some shape, among windows anywhere in the medium."""
        weighted = self.values
        for axis, n in enumerate(window):
            cutoff = self.values.shape[axis] // 2
            lags = torch.arange(-cutoff, cutoff + 1, dtype=weighted.dtype)
            overlap = (1 - lags.abs() / n).clamp(min=0)
            weighted = weighted * overlap.view([-1 if i == axis else 1 for i in range(weighted.ndim)])
        return float(weighted.sum()) / math.prod(window)


def estimate_autocovariance(
    autocorrelation: Tensor, volume_fraction: float, n_voxels: int, reach: Sequence[int]
) -> Autocovariance:
    """Autocovariance of a medium from the autocorrelation of a finite sample of it.

    Parameters
    ----------
    autocorrelation : Tensor ``(*lag)``
        At lags from -c to c along each axis.
    volume_fraction : float
        Of the sample.
    n_voxels : int
        Volume of the sample.
    reach : sequence of int
        Semi-axes of the ellipsoid of lags beyond which the medium is uncorrelated.

    Returns
    -------
    Autocovariance

    Notes
    -----
    The squared volume fraction of a sample exceeds that of the medium by the variance v of the volume fraction on
    average, so that every lag is too low by v. As v is itself the sum of the autocovariance divided by the volume, this
    is corrected exactly.
    """
    covariance = autocorrelation.double() - volume_fraction**2
    squared = torch.zeros((), dtype=torch.float64)
    for n, semi_axis in zip(covariance.shape, reach, strict=True):
        lags = torch.arange(n, dtype=torch.float64) - n // 2
        squared = squared.unsqueeze(-1) + (lags / max(semi_axis, 0.5)).square()
    inside = squared <= 1
    n_inside = int(inside.sum())
    shortfall = float(covariance[inside].sum()) / max(n_voxels - n_inside, 1)
    return Autocovariance(torch.where(inside, covariance + max(shortfall, 0.0), 0.0))


def decorrelation_lags(profiles: Sequence[Tensor], n_voxels: int) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Lag along each axis from which on a phase is uncorrelated, as far as a finite sample shows.

    Parameters
    ----------
    profiles : sequence of Tensor ``(lag,)``
        Autocovariance along each axis, from lag 0, where it is positive.
    n_voxels : int
        Volume of the sample.

    Returns
    -------
    lags : tuple of int
        Where the correlation coefficient falls below the limit and stays there up to twice this lag.
    decays : tuple of bool
        Whether there is such a lag. If not, the lag is the end of the correlations that the profile shows.

    Notes
    -----
    The limit is 0.05, or three standard deviations of the coefficient at uncorrelated lags if these are more: the
    variance is the sum of the squared coefficients over all lags, divided by the volume (Bartlett, Supplement to the
    Journal of the Royal Statistical Society 8, 27 (1946)).
    """
    coefficients = [
        profile.double() / profile[0] if profile[0] > 0 else torch.ones_like(profile) for profile in profiles
    ]
    # Squared coefficients up to the first zero crossing, as if they were separable; the others are mostly noise.
    squares = [1 + 2 * float(c[1 : _first(c <= 0)].square().sum()) for c in coefficients]
    limit = max(LEAST_CORRELATION, NOISE_FACTOR * math.sqrt(math.prod(squares) / n_voxels))
    lags, decays = zip(*(_settled(c.abs() < limit) for c in coefficients), strict=True)
    return tuple(lags), tuple(decays)


def _first(holds: Tensor) -> int:
    """Return the first index at which a condition holds, or the length."""
    indices = holds.nonzero()
    return int(indices[0, 0]) if len(indices) else len(holds)


def _settled(is_within: Tensor) -> tuple[int, bool]:
    """Return the first lag h for which the condition holds from h to 2h; if none, the lag after its last failure."""
    last = len(is_within) - 1
    outside = [*(~is_within).nonzero()[:, 0].tolist(), last + 1]
    for before, after in itertools.pairwise(outside):
        if after > 2 * (before + 1):
            return before + 1, True
    return min(max(outside[:-1], default=0) + 1, last), False
