"""Pictures and pages of structures, their statistics and what a model makes of them."""

from .benchmark_page import benchmark_page, result_cells
from .benchmark_parts import BenchmarkParts, Example, Neighbours
from .comparison import plot_comparison
from .page import check_page_libraries, embed_figure, embed_picture, render_page
from .plots import check_figure_format, plot_reconstructions, plot_statistics, plot_structure

__all__ = [
    "BenchmarkParts",
    "Example",
    "Neighbours",
    "benchmark_page",
    "check_figure_format",
    "check_page_libraries",
    "embed_figure",
    "embed_picture",
    "plot_comparison",
    "plot_reconstructions",
    "plot_statistics",
    "plot_structure",
    "render_page",
    "result_cells",
]
