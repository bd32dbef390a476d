"""Plots and HTML pages of structures, their statistics, and the performance of a model."""

from .benchmark_page import benchmark_page
from .html import check_page_libraries, embed_figure, embed_picture, render_page
from .materials_page import materials_page
from .page import (
    Command,
    Definitions,
    Download,
    Figure,
    Page,
    Panel,
    Picture,
    PictureTable,
    Remark,
    Table,
    VolumeGroup,
    csv_download,
)
from .panels.lines import result_cells
from .panels.materials import DECODED_HEADER, REALIZED_HEADER, MaterialPictures, decoded_cells, realized_cells
from .parts import BenchmarkParts, Candidates, Example, Examples, Neighbours, RealizedSet, ReportParts, Traversal
from .plots import (
    plot_agreement,
    plot_candidates,
    plot_comparison,
    plot_difference,
    plot_errors,
    plot_history,
    plot_latents,
    plot_reconstructions,
    plot_sections,
    plot_statistics,
    plot_strip,
    plot_structure,
    plot_values,
    plot_window_sizes,
)
from .report_page import report_page
from .style import check_figure_format
from .volume import Volume, pack_volume

__all__ = [
    "DECODED_HEADER",
    "REALIZED_HEADER",
    "BenchmarkParts",
    "Candidates",
    "Command",
    "Definitions",
    "Download",
    "Example",
    "Examples",
    "Figure",
    "MaterialPictures",
    "Neighbours",
    "Page",
    "Panel",
    "Picture",
    "PictureTable",
    "RealizedSet",
    "Remark",
    "ReportParts",
    "Table",
    "Traversal",
    "Volume",
    "VolumeGroup",
    "benchmark_page",
    "check_figure_format",
    "check_page_libraries",
    "csv_download",
    "decoded_cells",
    "embed_figure",
    "embed_picture",
    "materials_page",
    "pack_volume",
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
    "plot_values",
    "plot_window_sizes",
    "realized_cells",
    "render_page",
    "report_page",
    "result_cells",
]
