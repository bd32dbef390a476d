"""Pictures in a terminal: two pixels per character, in grey levels, or in characters where there are no colours."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

# Characters from dark to bright, for output without colours.
_SHADES = " .:-=+*#%@"
_Row = Sequence[float | None]


def show_picture(picture: Mapping[str, Any]) -> None:
    """Print a picture on stdout.

    Parameters
    ----------
    picture : mapping
        ``pixels``: an even number of rows of numbers from 0 to 1, or None; ``normal``: axis normal to the section.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    rows = picture["pixels"]
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        line = Text(no_wrap=True, end="")
        for above, below in zip(upper, lower, strict=True):
            if console.color_system is None:
                line.append(_shade(above, below))
            else:
                line.append("▀", f"{_grey(above)} on {_grey(below)}")
        console.print(line, soft_wrap=True)
    if picture["normal"]:
        console.print(f"section through the centre, normal to {picture['normal']}")


def _shade(above: float | None, below: float | None) -> str:
    values = [value for value in (above, below) if value is not None]
    if not values:
        return "?"
    return _SHADES[round(sum(values) / len(values) * (len(_SHADES) - 1))]


def _grey(value: float | None) -> str:
    if value is None:
        return "rgb(200,60,60)"
    level = round(255 * value)
    return f"rgb({level},{level},{level})"
