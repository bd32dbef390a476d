"""Figures for papers: as wide as one or two columns of a page, with text of one size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..validate import choice
from .style import load_matplotlib

MM_PER_INCH = 25.4


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
        """Give a figure this width, in its own proportions, and its text this size; return the figure."""
        if self.width is not None:
            load_matplotlib()
            from matplotlib.text import Text

            width, height = figure.get_size_inches()
            scale = self.width / MM_PER_INCH / width
            figure.set_size_inches(scale * width, scale * height)
            for text in figure.findobj(Text):
                text.set_fontsize(self.text)
        return figure


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
