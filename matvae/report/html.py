"""HTML pages that are single files: images are embedded as data URIs, and nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MissingExtraError
from .page import Page
from .style import DENSITY, load_matplotlib

TEMPLATES = Path(__file__).parent / "templates"


def render_page(page: Page) -> str:
    """Render a page as a single HTML file, for light and dark screens and for print.

    Parameters
    ----------
    page : Page
        All text in it is escaped.

    Returns
    -------
    str

    Raises
    ------
    MissingExtraError
        If matplotlib or jinja2 is not installed.
    """
    check_page_libraries()
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = _set_code
    return environment.get_template("page.html.jinja").render(page=page)


def check_page_libraries() -> None:
    """Check that pages can be rendered, before any work is done.

    Raises
    ------
    MissingExtraError
        If matplotlib or jinja2 is not installed.
    """
    load_matplotlib()
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("Rendering a page needs jinja2; install it with: pip install 'matvae[plot]'") from error


def embed_figure(figure: Any) -> str:
    """Encode a matplotlib figure as a data URI, for the ``src`` of an image.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    str
        ``"data:image/png;base64,..."``, with two pixels per pixel of the figure, so that it is crisp.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DENSITY * figure.dpi)
    return _data_uri(buffer)


def embed_picture(values: np.ndarray, colours: Any, *, low: float, high: float) -> str:
    """Encode an array as a data URI with one pixel per value, which a page enlarges without blurring.

    Parameters
    ----------
    values : array ``(y, x)``
    colours : matplotlib colormap, or its name
    low, high : float
        Values of the first and the last colour.

    Returns
    -------
    str
        ``"data:image/png;base64,..."``
    """
    load_matplotlib()
    from matplotlib.image import imsave

    buffer = io.BytesIO()
    imsave(buffer, values, format="png", cmap=colours, vmin=low, vmax=high)
    return _data_uri(buffer)


def _data_uri(buffer: io.BytesIO) -> str:
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _set_code(text: str) -> Any:
    """Escape text, and set what stands between backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
