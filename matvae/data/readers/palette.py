"""Palettes: the colours that stand behind the values of an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Colour = tuple[int, int, int]


def grey_levels(palette: Sequence[Colour]) -> np.ndarray | None:
    """Return the grey level of each entry of a palette, ``(entry,)`` uint8; None if one is a colour."""
    entries = np.asarray(palette, dtype=np.uint8).reshape(-1, 3)
    return entries[:, 0].copy() if (entries == entries[:, :1]).all() else None


def named_colours(palette: Sequence[Colour], limit: int = 8) -> str:
    """List the first entries of a palette as ``0 #000000, 1 #c80a0a``."""
    names = [f"{i} #{red:02x}{green:02x}{blue:02x}" for i, (red, green, blue) in enumerate(palette[:limit])]
    return ", ".join(names) + (", ..." if len(palette) > limit else "")
