"""What the model is, and what it was trained on."""

from __future__ import annotations

from ..panel import Panel, Table
from ..parts import ReportParts


def about_panel(parts: ReportParts) -> Panel:
    """Facts of model and data."""
    return Panel(
        "about",
        "The model and its data",
        "the structures looked at are of the kind that the model was trained on (same material, same size of a "
        "voxel), and are not the very ones that it was trained on.",
        text=(
            "The model turns each structure into a few numbers, its latent, and latents back into structures. It is "
            "trained to keep 2-point statistics: how likely two points at a given distance and direction both lie in a "
            "phase. What comes back is therefore another structure with similar statistics, not the same picture.",
        ),
        tables=(
            Table(("the model", "value"), list(parts.model.items()), "The model."),
            Table(("the data", "value"), list(parts.data.items()), "The structures that this report looks at."),
            Table(("parameter", "value"), list(parts.settings.items()), "How it was trained.", folded=True),
        ),
    )
