"""Figures of merit: how well reconstructions keep statistics, volume fractions and what can be counted."""

from .errors import Scatter, StatisticsError, VolumeFractionError
from .lines import count_lines

__all__ = ["Scatter", "StatisticsError", "VolumeFractionError", "count_lines"]
