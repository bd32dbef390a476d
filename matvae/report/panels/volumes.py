"""Volumes: sections across each axis, and surfaces to be turned."""

from __future__ import annotations

import numpy as np

from ..page import embed_figure
from ..panel import Figure, Panel
from ..parts import ReportParts
from ..plots import load_matplotlib
from ..strips import plot_sections
from ..volume import pack_volume


def volumes_panel(parts: ReportParts) -> Panel | None:
    """Sections and surfaces of the first example and, where there is one, of the first candidate; None below 3-D."""
    if parts.grid.ndim != 3:
        return None
    shown = {
        f"Original, structure {parts.examples.numbers[0]}": parts.examples.originals[0],
        "Its reconstruction": parts.examples.reconstructions[0],
    }
    if parts.candidates is not None:
        shown["Candidate 0"] = parts.candidates.structures[0]
    return Panel(
        "volumes",
        "In three dimensions",
        "sections in all three directions are of one kind with those of the original, without slabs or seams; and "
        "where a phase is connected in the original it is connected in what came back.",
        text=(
            "Turn a surface with the pointer, or choose it with the tab key and use the arrow keys; plus and minus "
            "change its size, and Home puts it back.",
        ),
        figures=[_sections(parts, title, structure, place) for place, (title, structure) in enumerate(shown.items())],
        volumes=[pack_volume(structure, title, grid=parts.grid) for title, structure in shown.items()],
    )


def _sections(parts: ReportParts, title: str, structure: np.ndarray, place: int) -> Figure:
    _, figure_class = load_matplotlib()
    figure = figure_class(figsize=(9.6, 3.3), dpi=100, layout="constrained")
    plot_sections(list(figure.subplots(1, 3)), structure, grid=parts.grid)
    return Figure(
        f"sections-{place}",
        embed_figure(figure),
        f"{title}: three orthogonal sections through the middle.",
        f"{title}.",
        "Sections across each axis, through the middle.",
    )
