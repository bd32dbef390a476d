"""Pictures as files: refused before any work, written completely or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...files import atomic_output
from .outputs import check_output

# Style of figures unless another is asked for.
SCREEN = "screen"


def check_figure(
    figure: str | Path | None,
    inputs: Sequence[str | Path | None],
    *,
    overwrite: bool = False,
    style: str = SCREEN,
) -> Path | None:
    """Refuse a picture that cannot or must not be written; None where none is asked for.

    Parameters
    ----------
    figure : path or None
        Ends in .png, .pdf or .svg.
    inputs : sequence of path or None
        What the job reads.
    overwrite : bool
        Whether an existing picture may be replaced.
    style : str
        Style of the figure, see `matvae.report.paper.figure_style`.

    Raises
    ------
    InputError, StoreError
        As in `check_output`, or if the ending is another, or there is no such style.
    MissingExtraError
        If matplotlib is not installed.
    """
    if figure is None and style == SCREEN:
        # Nearly always, and then nobody waits for the plots and torch.
        return None
    from ...report.paper import figure_style

    figure_style(style)
    if figure is None:
        return None
    target = check_output(figure, [path for path in inputs if path is not None], overwrite=overwrite)
    from ...report import check_figure_format

    check_figure_format(target)
    return target


def save_figure(figure: Any, path: Path) -> None:
    """Write a matplotlib figure: a .png with twice its pixels on a screen, others with text that can be edited."""
    import matplotlib

    from ...report.style import DENSITY

    with atomic_output(path) as temporary, matplotlib.rc_context({"pdf.fonttype": 42, "svg.fonttype": "none"}):
        figure.savefig(temporary, dpi=DENSITY * figure.dpi)
