"""The model and its data."""

from __future__ import annotations

from ..page import Panel, Table
from ..parts import ReportParts

CARD = "What the model was fitted on and is for, as its card says."


def about_panel(parts: ReportParts) -> Panel:
    """Metadata of the model, of the data, and of the training."""
    return Panel(
        "about",
        "Model and data",
        [
            "The model encodes each structure as a few numbers, its latent, and decodes latents back into structures. "
            "It is trained to preserve 2-point statistics: the probability that two points at a given distance and in "
            "a given direction both lie in a given phase. A reconstruction is therefore a different structure with "
            "similar statistics, not a copy of the image.",
            Table(("model", "value"), list(parts.model.items()), "The model."),
            *([Table(("card", "value"), list(parts.card.items()), CARD)] if parts.card else []),
            Table(("data", "value"), list(parts.data.items()), "The structures examined in this report."),
            *([parts.sampling] if parts.sampling else []),
            Table(("parameter", "value"), list(parts.settings.items()), "Training parameters.", folded=True),
        ],
        good="the structures examined are of the kind that the model was trained on (same material, same voxel size), "
        "but are not the training structures themselves.",
    )
