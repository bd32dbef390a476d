"""Figures that notebooks show although they are not managed by pyplot."""

from __future__ import annotations

import io
from typing import Any

from matplotlib import rcParams
from matplotlib.figure import Figure

from .style import DENSITY


class ShownFigure(Figure):
    """A matplotlib figure that a notebook shows as an image, and that is saved as crisp as it is shown.

    Figures of pyplot are shown by the backend of a notebook, which knows of no others.
    """

    def savefig(self, fname: Any, *, dpi: Any = None, **options: Any) -> None:
        """Save the figure as matplotlib does; by default, with as many pixels as for a screen of high resolution."""
        if dpi is None and rcParams["savefig.dpi"] == "figure":
            dpi = DENSITY * self.dpi
        super().savefig(fname, dpi=dpi, **options)

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        # The height follows, also where a page is narrower than the figure.
        return buffer.getvalue(), {"width": round(self.get_size_inches()[0] * self.dpi)}
