"""Pictures of structures, their statistics and what a model makes of them."""

from .comparison import plot_comparison
from .plots import check_figure_format, plot_reconstructions, plot_statistics, plot_structure

__all__ = ["check_figure_format", "plot_comparison", "plot_reconstructions", "plot_statistics", "plot_structure"]
