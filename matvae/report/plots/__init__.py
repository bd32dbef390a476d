"""Plots on matplotlib axes; `plot_reconstructions` and `plot_comparison` make whole figures."""

from .errors import plot_comparison, plot_errors
from .history import plot_history
from .reconstructions import plot_reconstructions
from .scatter import plot_agreement, plot_candidates, plot_latents
from .sections import plot_values
from .segmentation import plot_segmentation
from .statistics import plot_difference, plot_statistics
from .structures import plot_sections, plot_strip, plot_structure
from .window_sizes import plot_window_sizes

__all__ = [
    "plot_agreement",
    "plot_candidates",
    "plot_comparison",
    "plot_difference",
    "plot_errors",
    "plot_history",
    "plot_latents",
    "plot_reconstructions",
    "plot_sections",
    "plot_segmentation",
    "plot_statistics",
    "plot_strip",
    "plot_structure",
    "plot_values",
    "plot_window_sizes",
]
