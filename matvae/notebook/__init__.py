"""How results look in notebooks and in the figures of their `plot`; results import this by its name when asked to."""

from .figures import plot_candidates, plot_pictures, plot_statistics, plot_structures
from .html import html_of
from .representativity import plot_representativity

__all__ = ["html_of", "plot_candidates", "plot_pictures", "plot_representativity", "plot_statistics", "plot_structures"]
