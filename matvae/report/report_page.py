"""The page of `matvae report`."""

from __future__ import annotations

import numpy as np

from .first_screen import headline, main_figures, next_steps
from .html import render_page
from .page import Page
from .panels.about import about_panel
from .panels.candidates import candidates_panel
from .panels.errors import errors_panel, fractions_panel
from .panels.latents import latents_panel, traversal_panel
from .panels.neighbours import neighbours_panel
from .panels.realized_set import realized_set_panel
from .panels.reconstructions import realizations_panel, reconstructions_panel
from .panels.training import training_panel
from .panels.volumes import volumes_panel
from .parts import ReportParts


def report_page(parts: ReportParts) -> str:
    """Render the report of a model as a single HTML file.

    Parameters
    ----------
    parts : ReportParts
        Contents of the page; names in it are escaped.

    Returns
    -------
    str

    Raises
    ------
    MissingExtraError
        If matplotlib or jinja2 is not installed.
    """
    n_components = parts.latents.shape[1]
    verdict = "" if parts.realized_set is None else f"As a set of structures: {parts.realized_set.generated['verdict']}"
    return render_page(
        Page(
            title=parts.title,
            lead=" ".join(filter(None, [headline(parts), verdict]))
            or f"How {n_components} numbers per structure preserve {len(parts.numbers)} structures.",
            remark=f"{len(parts.numbers)} structures were encoded as {n_components} number"
            f"{'s' if n_components > 1 else ''} each and reconstructed.{_mean_error(parts)} The sections below show "
            "how far this model can be trusted; each begins with what good looks like.",
            panels=[
                about_panel(parts),
                training_panel(parts),
                reconstructions_panel(parts),
                realizations_panel(parts),
                *([volumes_panel(parts)] if parts.grid.ndim == 3 else []),
                errors_panel(parts),
                realized_set_panel(parts),
                fractions_panel(parts),
                neighbours_panel(parts),
                latents_panel(parts),
                traversal_panel(parts),
                candidates_panel(parts),
            ],
            version=parts.version,
            notes=parts.notes,
            figures=main_figures(parts),
            next_steps=next_steps(parts),
        )
    )


def _mean_error(parts: ReportParts) -> str:
    """Sentence on the error of all reconstructions."""
    if not len(parts.errors):
        return ""
    return (
        " The 2-point statistics of the reconstructions differ from those of the originals by "
        f"{100 * float(np.median(parts.errors)):.1f} % (median of the relative error)."
    )
