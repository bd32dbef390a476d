"""Pictures and pages of structures, their statistics and what a model makes of them."""

from .benchmark_page import benchmark_page, result_cells
from .comparison import plot_comparison, plot_errors
from .curves import plot_history
from .page import check_page_libraries, embed_figure, embed_picture, render_page
from .parts import BenchmarkParts, Candidates, Example, Examples, Neighbours, ReportParts, Traversal
from .plots import check_figure_format, plot_reconstructions, plot_statistics, plot_structure
from .report_page import report_page
from .scatter import plot_agreement, plot_candidates, plot_latents
from .strips import plot_difference, plot_sections, plot_strip

__all__ = [
    "BenchmarkParts",
    "Candidates",
    "Example",
    "Examples",
    "Neighbours",
    "ReportParts",
    "Traversal",
    "benchmark_page",
    "check_figure_format",
    "check_page_libraries",
    "embed_figure",
    "embed_picture",
    "plot_agreement",
    "plot_candidates",
    "plot_comparison",
    "plot_difference",
    "plot_errors",
    "plot_history",
    "plot_latents",
    "plot_reconstructions",
    "plot_sections",
    "plot_statistics",
    "plot_strip",
    "plot_structure",
    "render_page",
    "report_page",
    "result_cells",
]
