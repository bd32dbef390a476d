"""Three-dimensional structures: sections normal to each axis, and interactive surfaces."""

from __future__ import annotations

import numpy as np

from ..html import embed_figure
from ..page import Figure, Panel, VolumeGroup
from ..parts import ReportParts
from ..plots import plot_sections
from ..style import add_phase_legend, new_figure
from ..volume import pack_volume


def volumes_panel(parts: ReportParts) -> Panel:
    """Sections and surfaces of the first example, its reconstruction, and the first candidate if there is one."""
    structures = {
        f"Original, structure {parts.examples.numbers[0]}": parts.examples.originals[0],
        "Its reconstruction": parts.examples.reconstructions[0],
    }
    if parts.candidates is not None:
        structures["Candidate 0"] = parts.candidates.structures[0]
    return Panel(
        "volumes",
        "Three-dimensional views",
        [
            "Rotate a surface with the pointer, or select it with the tab key and use the arrow keys; plus and minus "
            "zoom, and Home resets the view.",
            *(_sections(parts, title, structure, i) for i, (title, structure) in enumerate(structures.items())),
            VolumeGroup([pack_volume(structure, title, grid=parts.grid) for title, structure in structures.items()]),
        ],
        good="sections in all three directions resemble those of the original, without slabs or seams, and a phase "
        "that is connected in the original is also connected in the reconstruction.",
    )


def _sections(parts: ReportParts, title: str, structure: np.ndarray, index: int) -> Figure:
    figure = new_figure(9.6, 3.3, dpi=100)
    plot_sections(list(figure.subplots(1, 3)), structure, grid=parts.grid)
    add_phase_legend(figure, parts.grid.phases, parts.phase_names)
    return Figure(
        f"figure-sections-{index}",
        embed_figure(figure),
        f"{title}: three orthogonal central sections.",
        f"{title}.",
        "Central sections normal to each axis.",
    )
