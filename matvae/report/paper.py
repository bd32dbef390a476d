"""Figures for papers: as wide as one or two columns of a page, with text of one size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..validate import choice
from .style import load_matplotlib

MM_PER_INCH = 25.4
# Inches by which a figure that cuts its contents off grows beyond them, and how often at most.
MARGIN, MOST_GROWTH = 0.04, 3


@dataclass(frozen=True)
class FigureStyle:
    """How a figure is laid out for a screen or a page.

    Parameters
    ----------
    width : float or None
        In millimetres; None leaves a figure as wide as its contents need.
    plots, pictures : int
        Plots and pictures side by side, at most.
    text : float or None
        Size of all text in points; None leaves it as it is.
    """

    width: float | None
    plots: int
    pictures: int
    text: float | None

    def fit(self, figure: Any) -> Any:
        """Give a figure this width, its text this size, and a height at which nothing is cut off; return the figure."""
        if self.width is not None:
            load_matplotlib()
            from matplotlib.text import Text

            width, height = figure.get_size_inches()
            scale = self.width / MM_PER_INCH / width
            figure.set_size_inches(scale * width, scale * height)
            for text in figure.findobj(Text):
                text.set_fontsize(self.text)
        _grow(figure)
        return figure


def _grow(figure: Any) -> None:
    """Make a figure as high as its contents need: a layout squeezes axes, but no text."""
    for _ in range(MOST_GROWTH):
        figure.draw_without_rendering()
        width, height = figure.get_size_inches()
        contents = figure.get_tightbbox()
        missing = max(0.0, -contents.y0) + max(0.0, contents.y1 - height)
        if missing == 0:
            return
        figure.set_size_inches(width, height + missing + MARGIN)


# Columns of the journals of Elsevier, and the least size of text that these accept.
STYLES = {
    "screen": FigureStyle(None, 3, 4, None),
    "single": FigureStyle(90, 1, 2, 7),
    "double": FigureStyle(190, 2, 4, 7),
}


def figure_style(name: str) -> FigureStyle:
    """Return a style by its name: ``"screen"``, or ``"single"`` or ``"double"`` for the columns of a page.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    return STYLES[choice("figure_style", name, tuple(STYLES))]
