"""Differentiable spatial statistics of numpy, dask and torch arrays, computed in torch."""

from .block_sums import two_point_stats_by_blocks
from .chords import chord_length_distribution, chord_lengths
from .clusters import cluster_function
from .correlate import correlate
from .correlation_length import correlation_length
from .correlations import default_correlations, resolve_correlations
from .dispatch import block_size, map_phases
from .distance import relative_error, statistics_distance
from .form import form_of
from .lags import check_periodic, lag_shape
from .lineal_path import lineal_path, lineal_path_lengths
from .radial import lag_radii, pair_correlation, radial_average
from .statistic import STATISTICS, Statistic, get_statistic
from .surface import surface_area
from .two_point_stats import two_point_stats, volume_fractions
from .variogram import variogram

__all__ = [
    "STATISTICS",
    "Statistic",
    "block_size",
    "check_periodic",
    "chord_length_distribution",
    "chord_lengths",
    "cluster_function",
    "correlate",
    "correlation_length",
    "default_correlations",
    "form_of",
    "get_statistic",
    "lag_radii",
    "lag_shape",
    "lineal_path",
    "lineal_path_lengths",
    "map_phases",
    "pair_correlation",
    "radial_average",
    "relative_error",
    "resolve_correlations",
    "statistics_distance",
    "surface_area",
    "two_point_stats",
    "two_point_stats_by_blocks",
    "variogram",
    "volume_fractions",
]
