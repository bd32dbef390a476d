"""The page of `matvae report`: panels in one file, readable without a network."""

from __future__ import annotations

from .page import render_page
from .panels import make_panels
from .parts import ReportParts


def report_page(parts: ReportParts) -> str:
    """The page as one string of HTML.

    Parameters
    ----------
    parts : ReportParts
        What it shows; names in it are escaped.

    Returns
    -------
    str

    Raises
    ------
    MissingExtraError
        If matplotlib or jinja2 is not installed.
    """
    return render_page(
        "report.html.jinja",
        title=parts.title,
        version=parts.version,
        notes=parts.notes,
        panels=make_panels(parts),
        n_samples=len(parts.numbers),
        n_components=parts.latents.shape[1],
        error=f"{100 * float(parts.errors.mean()):.1f} %",
    )
