"""HTML pages that are one file each: pictures lie inside as data URIs, and nothing is fetched from anywhere."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MissingExtraError
from .plots import load_matplotlib

TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, **values: Any) -> str:
    """Fill in a template of `matvae/report/templates`; text among the values is escaped.

    Parameters
    ----------
    template : str
        File name, such as ``"benchmark.html.jinja"``. It extends ``"base.html.jinja"``, which has the style, dark
        mode, print rules and macros.
    **values
        What the template names. One that is missing is an error, not an empty place.

    Returns
    -------
    str
        The page.

    Raises
    ------
    MissingExtraError
        If jinja2 is not installed.
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
    return environment.get_template(template).render(**values)


def check_page_libraries() -> None:
    """Refuse a page that cannot be made, before any work is done.

    Raises
    ------
    MissingExtraError
        If matplotlib or jinja2 is not installed.
    """
    load_matplotlib()
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("Making a page needs jinja2; install it with: pip install 'matvae[plot]'") from error


def embed_figure(figure: Any) -> str:
    """A matplotlib figure as a data URI, for the ``src`` of an image.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    str
        ``"data:image/png;base64,..."``
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return _uri(buffer)


def embed_picture(values: np.ndarray, colours: Any, *, low: float, high: float) -> str:
    """One pixel for each value, as a data URI; a page scales it up without blurring.

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
    return _uri(buffer)


def _uri(buffer: io.BytesIO) -> str:
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
