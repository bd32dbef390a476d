"""Figures of merit: how well reconstructions keep statistics and volume fractions."""

from .errors import Scatter, StatisticsError, VolumeFractionError

__all__ = ["Scatter", "StatisticsError", "VolumeFractionError"]
