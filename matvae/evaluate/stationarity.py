"""Stationarity: whether parts of structures differ more than the sampling noise of a single material allows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# Significance level of the verdict, shared among all tests (Bonferroni).
SIGNIFICANCE = 0.01
# Fewer windows than these allow no test.
LEAST_WINDOWS = 8
# Blocks along each axis at most, each of two windows or more per axis.
MOST_BLOCKS = 4


@dataclass(frozen=True)
class Drift:
    """Linear trend of a measure along one axis.

    Parameters
    ----------
    change : float
        From one end of the structure to the other.
    standard_error : float
        Of the change, from the scatter of windows about the trend.
    p_value : float
        Probability of so large a change in a material without trend.
    """

    change: float
    standard_error: float
    p_value: float


@dataclass(frozen=True)
class Stationarity:
    """Trends of a measure, and differences between blocks of the structure or between structures.

    Parameters
    ----------
    drift : tuple of (Drift or None)
        Per axis; None along an axis with a single window.
    variance_ratio : float or None
        Variance between blocks (or structures) over that expected from the scatter of windows within them: about 1 if
        stationary. None if there are too few windows.
    p_value : float or None
        Of the variance ratio.
    """

    drift: tuple[Drift | None, ...]
    variance_ratio: float | None
    p_value: float | None

    @property
    def p_values(self) -> list[float]:
        """Of all tests that were possible."""
        values = [drift.p_value for drift in self.drift if drift is not None]
        return values if self.p_value is None else [*values, self.p_value]


def stationarity_of(values: np.ndarray, inflation: float = 1.0) -> Stationarity:
    """Test a measure of disjoint windows for trends and for differences between blocks.

    Parameters
    ----------
    values : array ``(sample, *position)``
        Measure of each window.
    inflation : float
        Factor by which the variance of a mean over many windows exceeds that of independent ones, as neighbouring
        windows are correlated.

    Returns
    -------
    Stationarity

    Notes
    -----
    Trends are tested by linear regression on the positions (t-test), blocks by one-way analysis of variance (F-test):
    between structures if there are several, otherwise between at most four blocks along each axis.
    """
    # Slow to import.
    from scipy.stats import f as f_distribution
    from scipy.stats import t as t_distribution

    if values.size < LEAST_WINDOWS or not np.isfinite(values).all() or np.ptp(values) == 0:
        return Stationarity((None,) * (values.ndim - 1), None, None)
    centred = values - values.mean(axis=tuple(range(1, values.ndim)), keepdims=True)
    slopes, moments = [], []
    residual = centred
    for axis in range(1, values.ndim):
        # Positions of the centres of the windows, from end to end of the structure: -1/2 to 1/2.
        n = values.shape[axis]
        x = (np.arange(n) + 0.5) / n - 0.5
        x = x.reshape([-1 if i == axis else 1 for i in range(values.ndim)])
        moment = float(np.broadcast_to(x**2, values.shape).sum())
        slope = float((centred * x).sum()) / moment if moment else 0.0
        slopes.append(slope)
        moments.append(moment)
        residual = residual - slope * x
    freedom = values.size - len(values) - sum(moment > 0 for moment in moments)
    drift: list[Drift | None] = []
    for slope, moment in zip(slopes, moments, strict=True):
        if moment == 0 or freedom < 2:
            drift.append(None)
            continue
        error = math.sqrt(inflation * float((residual**2).sum()) / freedom / moment)
        p_value = 2 * float(t_distribution.sf(abs(slope) / error, freedom)) if error else 0.0
        drift.append(Drift(slope, error, p_value))
    groups = _blocks(values)
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in groups)
    degrees = len(groups) - 1, values.size - len(groups)
    if min(degrees) < 1 or within == 0:
        return Stationarity(tuple(drift), None, None)
    between = sum(len(group) * float((group.mean() - values.mean()) ** 2) for group in groups)
    ratio = (between / degrees[0]) / (inflation * within / degrees[1])
    return Stationarity(tuple(drift), ratio, float(f_distribution.sf(ratio, *degrees)))


def _blocks(values: np.ndarray) -> list[np.ndarray]:
    """Values of the windows of each structure, or of each block of a single structure."""
    if len(values) > 1:
        return [sample.ravel() for sample in values]
    blocks = [values[0]]
    for axis in range(values.ndim - 1):
        number = min(MOST_BLOCKS, max(1, values.shape[axis + 1] // 2))
        blocks = [part for block in blocks for part in np.array_split(block, number, axis=axis)]
    return [block.ravel() for block in blocks]
