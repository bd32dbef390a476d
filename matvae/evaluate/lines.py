"""Counting straight lines, the simplest thing in a structure that everybody sees is right or wrong."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..stats.labelling import label_clusters


def count_lines(images: np.ndarray, *, element: int) -> np.ndarray:
    """Numbers of horizontal and of vertical lines in periodic images, such as those of the data set `lines`.

    Opened with a straight element along x only what is at least that long in x remains; its pieces, connected across
    sides and corners and over the borders, are the horizontal lines. Likewise along y.

    Parameters
    ----------
    images : array ``(sample, y, x)``
        Labels; what is not 0 is line.
    element : int
        Length of the element in voxels: more than the thickest line, and no more than the shortest is long.

    Returns
    -------
    array of int ``(sample, 2)``
        Horizontal and vertical lines.

    Raises
    ------
    InputError
        If the images are not 2-D, or the element is shorter than two voxels or longer than the image.
    """
    # It takes a while to import.
    from scipy import ndimage

    images = np.asarray(images)
    if images.ndim != 3:
        raise InputError(f"Images (sample, y, x) are expected, but an array of shape {images.shape} was given.")
    if not 2 <= element <= min(images.shape[1:]):
        raise InputError(
            f"element must be 2 voxels to the size of the image, {images.shape[1:]}, but {element} was given. Take one "
            "more than the thickest line."
        )
    inside = (images != 0).astype(np.uint8)
    counts = np.empty((len(images), 2), dtype=np.int64)
    for column, size in enumerate([(1, 1, element), (1, element, 1)]):
        opened = ndimage.grey_opening(inside, size=size, mode="wrap") > 0
        counts[:, column] = [label_clusters(image, connectivity=2)[1] for image in opened]
    return counts
