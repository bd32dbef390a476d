"""Pictures of structures, their statistics and what a model makes of them."""

from .plots import check_figure_format, plot_reconstructions, plot_statistics, plot_structure

__all__ = ["check_figure_format", "plot_reconstructions", "plot_statistics", "plot_structure"]
