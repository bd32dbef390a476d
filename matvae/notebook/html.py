"""Results as HTML for notebooks: a table, small pictures, and the colours of the phases.

Text has the colour of its surroundings, so that it is readable in light and dark themes, and all of it is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import numpy as np

from ..errors import MatvaeError
from ..pictured import IN_TABLE, Picture, Pictured
from ..report.html import embed_picture
from ..report.style import colour_codes, structure_colours
from ..shown import Shown

# Pixels on the screen, and voxels that are drawn along one side.
SIDE, MOST_VOXELS = 120, 256
# Height of a structure in one dimension, relative to its length.
BAND = 0.15
# Phases with a swatch in the legend.
MOST_SWATCHES = 12
LINE = "1px solid rgba(128, 128, 128, 0.6)"


def html_of(shown: Shown) -> str:
    """Return a result as HTML: a table of what it states, and pictures if it has any.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    str
        One element that loads nothing from elsewhere. If structures cannot be read or drawn, it says why.
    """
    parts = [f"<strong>{escape(type(shown).__name__)}</strong>", _table(shown.shown_rows())]
    if isinstance(shown, Pictured):
        try:
            pictures = shown.pictures(IN_TABLE)
            parts += [_pictures(pictures), _remark(shown.pictures_remark())]
        except MatvaeError as error:
            # Damage on disk or a missing library must not hide what is known without the pictures.
            parts.append(_remark(f"No pictures: {error}"))
    # Long names break: what had to be scrolled sideways would be out of reach of a keyboard.
    return f'<div class="matvae" style="overflow-wrap: anywhere">{"".join(parts)}</div>'


def _table(rows: Mapping[str, str]) -> str:
    left = "text-align: left; vertical-align: top"
    head = f'<th scope="row" style="{left}; min-width: 6em">'
    cells = [f'<tr>{head}{escape(name)}</th><td style="{left}">{escape(text)}</td></tr>' for name, text in rows.items()]
    return f"<table>{''.join(cells)}</table>"


def _remark(text: str) -> str:
    return f"<div>{escape(text)}</div>" if text else ""


def _pictures(pictures: list[Picture]) -> str:
    if not pictures:
        return ""
    phases = pictures[0].grid.phases
    colours = structure_colours(phases)
    if phases == 1:
        low, high = _range(picture.image for picture in pictures)
        colours = {**colours, "vmin": low, "vmax": high}
        key = f"dark {low:.4g} to light {high:.4g}"
    else:
        key = "".join(
            f'<span style="display: inline-block"><span style="display: inline-block; width: 0.8em; height: 0.8em; '
            f'margin: 0 0.3em 0 0.8em; border: {LINE}; background: {colour}"></span>phase {phase}</span>'
            for phase, colour in enumerate(colour_codes(phases)[:MOST_SWATCHES])
        )
    images = "".join(_image(picture, colours) for picture in pictures)
    return f'<div style="display: flex; flex-wrap: wrap; gap: 12px; margin: 6px 0">{images}</div><div>{key}</div>'


def _image(picture: Picture, colours: Mapping[str, Any]) -> str:
    image, grid = picture.image, picture.grid
    if grid.ndim == 1:
        aspect, image = BAND, image[None]
    else:
        edges = grid.voxel_size or (1.0, 1.0)
        aspect = grid.shape[0] * edges[0] / (grid.shape[1] * edges[1])
    steps = tuple(slice(None, None, -(-n // MOST_VOXELS)) for n in image.shape)
    uri = embed_picture(image[steps], colours["cmap"], low=colours["vmin"], high=colours["vmax"])
    width, height = (SIDE, SIDE * aspect) if aspect <= 1 else (SIDE / aspect, SIDE)
    style = f"width: {max(1, round(width))}px; height: {max(1, round(height))}px; image-rendering: pixelated"
    name = escape(picture.name)
    return (
        f'<figure style="margin: 0"><img src="{uri}" alt="{name}" style="{style}; border: {LINE}; max-width: none">'
        f'<figcaption style="font-size: 0.85em; max-width: {SIDE}px">{name}</figcaption></figure>'
    )


def _range(images: Iterable[np.ndarray]) -> tuple[float, float]:
    values = np.concatenate([np.ma.compressed(np.ma.masked_invalid(image)) for image in images])
    return (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
