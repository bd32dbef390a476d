"""Figures of merit: how well reconstructions keep statistics, volume fractions and what can be counted."""

from .errors import Scatter, StatisticsError, VolumeFractionError
from .lines import LineErrors, count_lines, line_element
from .neighbours import Nearest
from .registration import register
from .representative import Representativity, representative_windows

__all__ = [
    "LineErrors",
    "Nearest",
    "Representativity",
    "Scatter",
    "StatisticsError",
    "VolumeFractionError",
    "count_lines",
    "line_element",
    "register",
    "representative_windows",
]
