"""Small pictures of structures as numbers from 0 to 1, for terminals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...data.sections import Section

# Pixels; a terminal shows two of them, one above the other, per character.
HEIGHT = 40
# The part of grey levels at either end that are as dark or as bright as all beyond.
_TAIL = 1.0


def small_picture(section: Section, distinct: Sequence[float] | None, columns: int) -> dict[str, Any]:
    """Average a section over square pixels.

    Parameters
    ----------
    section : Section
    distinct : sequence of float or None
        All values in ascending order if they are few, which then are equally far apart in brightness.
    columns : int
        Largest width in pixels.

    Returns
    -------
    dict
        ``pixels``: rows of numbers from 0 (dark, the smallest value) to 1, None where a value is not finite; their
        number is even; ``normal``: axis normal to the section, or None.
    """
    image = np.atleast_2d(_brightness(section.image, distinct))
    edges = np.ones(2) if section.grid.voxel_size is None or section.grid.ndim < 2 else section.grid.voxel_size
    height, width = np.array(image.shape) * edges
    scale = min(columns / width, HEIGHT / height)
    n_columns, n_rows = max(1, round(width * scale)), max(2, 2 * round(height * scale / 2))
    pixels = _averaged(_averaged(image, n_rows, 0), n_columns, 1)
    return {
        "pixels": [[None if value != value else round(float(value), 3) for value in row] for row in pixels],
        "normal": section.normal,
    }


def _brightness(image: np.ndarray, distinct: Sequence[float] | None) -> np.ndarray:
    values = image.astype(float)
    is_finite = np.isfinite(values)
    values[~is_finite] = np.nan
    if not is_finite.any():
        return values
    if distinct is not None:
        ranks = np.searchsorted(distinct, image) / max(1, len(distinct) - 1)
        return np.where(is_finite, ranks, np.nan)
    low, high = np.percentile(values[is_finite], (_TAIL, 100 - _TAIL))
    return np.clip((values - low) / (high - low or 1), 0, 1)


def _averaged(image: np.ndarray, n: int, axis: int) -> np.ndarray:
    """Average the image over `n` equal parts of an axis, or repeat voxels if there are fewer."""
    length = image.shape[axis]
    starts = np.arange(n) * length // n
    if length <= n:
        return image.take(starts, axis=axis)
    counts = np.diff([*starts, length])
    return np.add.reduceat(image, starts, axis=axis) / np.expand_dims(counts, 1 - axis)
