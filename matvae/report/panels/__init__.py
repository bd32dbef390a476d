"""The parts of a report, in the order in which they are read."""

from __future__ import annotations

from ..panel import Panel
from ..parts import ReportParts
from .about import about_panel
from .candidates import candidates_panel
from .errors import errors_panel, fractions_panel
from .history import history_panel
from .latents import latents_panel, traversal_panel
from .reconstructions import realizations_panel, reconstructions_panel
from .similar import similar_panel
from .volumes import volumes_panel

__all__ = ["make_panels"]

PANELS = (
    about_panel,
    history_panel,
    reconstructions_panel,
    realizations_panel,
    volumes_panel,
    errors_panel,
    fractions_panel,
    similar_panel,
    latents_panel,
    traversal_panel,
    candidates_panel,
)


def make_panels(parts: ReportParts) -> list[Panel]:
    """Every part of the report that applies to these structures."""
    made = [panel(parts) for panel in PANELS]
    return [panel for panel in made if panel is not None]
