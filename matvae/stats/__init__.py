"""Differentiable spatial statistics: torch inside, numpy, dask and torch outside."""

from .correlations import default_correlations, resolve_correlations
from .distance import relative_error, statistics_distance
from .faces import two_point_stats, volume_fractions
from .lags import lag_shape
from .two_point import correlate

__all__ = [
    "correlate",
    "default_correlations",
    "lag_shape",
    "relative_error",
    "resolve_correlations",
    "statistics_distance",
    "two_point_stats",
    "volume_fractions",
]
