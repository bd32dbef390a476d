"""The page of `matvae benchmark paper`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .html import render_page
from .page import Page
from .panels.lines import (
    figures_panel,
    means_panel,
    numbers_panel,
    result_cells,
    results_panel,
    settings_panel,
    similar_panel,
    structures_panel,
)
from .parts import BenchmarkParts


def benchmark_page(result: Mapping[str, Any], parts: BenchmarkParts) -> str:
    """Render the result of the lines benchmark as a single HTML file.

    Parameters
    ----------
    result : dict
        Result of `matvae.jobs.benchmark_paper`.
    parts : BenchmarkParts
        Structures to show.

    Returns
    -------
    str

    Raises
    ------
    MissingExtraError
        If matplotlib or jinja2 is not installed.
    """
    n_samples, orientation, number, difference, *_ = result_cells(result["rows"][2])
    return render_page(
        Page(
            title=f"The lines experiment, {result['size']} × {result['size']} pixels",
            lead=(
                f"Images of one to four lines were encoded as {result['n_components']} numbers each and reconstructed. "
                "The aim is to preserve not the image itself but its 2-point statistics: how many lines there are, how "
                f"they are oriented, and how much of the image they cover. Of {n_samples} images that the model has "
                f"not seen, {orientation} are reconstructed with lines of the right orientation and {number} with the "
                f"right number of lines; the volume fraction differs by {difference} on average."
            ),
            remark="This repeats the experiment of “Toward learning latent-variable representations of microstructures "
            "by optimizing in spatial statistics space” (ICLR 2024 tiny papers) on newly generated data. Figures 1 to "
            "3 and tables 1 to 7 correspond in kind to those of the paper; they show other structures and are laid out "
            "differently. All numbers are in `result.json` next to this page.",
            panels=[
                results_panel(result),
                numbers_panel(result, parts),
                figures_panel(parts),
                means_panel(result, parts),
                structures_panel(parts),
                similar_panel(result, parts),
                settings_panel(result),
            ],
            version=result["versions"]["matvae"],
            notes=result["notes"],
        )
    )
