"""Data bars: strips at the bottom or the top of a micrograph, in which the microscope has written its settings.

A data bar is drawn, not measured. Most of its pixels therefore have one grey value, the background of the text, and it
begins at a single row, or within a few if the image was scaled or compressed with loss. In an image of a material, grey
values scatter, and interfaces are nowhere straight to a pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# Values that are read of an image, in columns around its centre.
MOST_READ = 2**24
# Smallest image that is looked at, in pixels along an edge.
LEAST_EDGE = 64
# A bar takes at least so many rows, and a 50th of the image, and at most a quarter of it.
LEAST_ROWS = 4
# Distance from the background at which a pixel still counts as such, relative to the range of grey values. Compression
# with loss leaves differences of that order.
TOLERANCE = 0.01
# Shares of a row that is background: in the mean over the bar, at most in any row above it, and their difference
# between two rows on each side of its upper edge.
LEAST_IN_BAR, MOST_ABOVE, LEAST_STEP = 0.6, 0.35, 0.5
# Share of a row that has one grey value, in a line along the edge of the bar.
LEAST_IN_LINE = 0.9
# Rows at the edge that may be a mixture of both sides.
MOST_MIXED = 2


def rows_without_data_bar(images: Any) -> tuple[int, int] | None:
    """Return the first row of the material and the one after its last, in the first of some images.

    Parameters
    ----------
    images : LazyArray or dask array ``(image, y, x)``
        Grey values. Of a wide image only the columns around its centre are read.

    Returns
    -------
    (int, int) or None
        None if there seems to be no data bar.
    """
    n_rows, n_columns = images.shape[1:]
    n_read = min(n_columns, MOST_READ // max(n_rows, 1))
    left = (n_columns - n_read) // 2
    image = np.asarray(images[0, :, left : left + n_read])
    below, above = start_of_data_bar(image), start_of_data_bar(image[::-1])
    if below is None and above is None:
        return None
    return (0 if above is None else n_rows - above), (n_rows if below is None else below)


def start_of_data_bar(image: np.ndarray) -> int | None:
    """Return the first row of the data bar at the bottom of an image, or None if there seems to be none.

    Parameters
    ----------
    image : numpy.ndarray ``(y, x)``
        Grey values.
    """
    n_rows, n_columns = image.shape
    if min(n_rows, n_columns) < LEAST_EDGE or not np.isfinite(image).all():
        return None
    tolerance = TOLERANCE * (float(image.max()) - float(image.min()))
    least = max(LEAST_ROWS, n_rows // 50)
    share = _near(image, float(np.median(image[-least:])), tolerance).mean(axis=1)
    for n_mixed in range(MOST_MIXED + 1):
        for start in range(n_rows - n_rows // 4, n_rows - least + 1):
            above = share[: start - n_mixed]
            step = share[start : start + 2].min() - above[-2:].max()
            if step >= LEAST_STEP and share[start:].mean() >= LEAST_IN_BAR and above.max() <= MOST_ABOVE:
                return _above_line(image, start - n_mixed, tolerance)
    return None


def _above_line(image: np.ndarray, start: int, tolerance: float) -> int | None:
    """Move the first row of a bar up over a line along its edge; None if all rows above are like lines."""
    for first in range(start, start - LEAST_ROWS, -1):
        row = image[first - 1]
        if _near(row, float(np.median(row)), tolerance).mean() < LEAST_IN_LINE:
            return first
    return None


def _near(values: np.ndarray, centre: float, tolerance: float) -> np.ndarray:
    return (values >= centre - tolerance) & (values <= centre + tolerance)
