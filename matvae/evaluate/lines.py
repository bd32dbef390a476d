"""Counting straight lines, the simplest thing in a structure that everybody sees is right or wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data.datasets.lines import Lines
from ..errors import InputError
from ..stats.labelling import label_clusters


def line_element(shape: Sequence[int], **parameters: Any) -> int:
    """Length of the element by which `count_lines` counts the lines of the data set `lines`.

    Every length from one voxel more than the thickest line to the shortest line is right for the images themselves.
    This one is three quarters of the way up. Of images with ragged, thicker and shorter lines and with spurious spots,
    about as many are counted right as with the best element of each kind of damage, at 224, 64 and 32 voxels; a short
    element takes spots and thick lines for lines across, which any image can have, and a long one loses only those
    few lines that are near the shortest.

    Parameters
    ----------
    shape : (int, int)
        Voxels of an image along y and x.
    **parameters
        Of `matvae.data.datasets.lines.Lines`, where they are not the default: ``thickness``, ``length``, ``n_lines``.

    Returns
    -------
    int
        In voxels.

    Raises
    ------
    InputError
        If there are no such lines in an image of that shape.
    """
    lines = Lines(shape, **parameters)
    thickest, shortest = lines.thickness[1], min(low for low, _ in lines.length)
    return shortest - (shortest - thickest) // 4


def count_lines(images: np.ndarray, *, element: int, periodic: bool = True) -> np.ndarray:
    """Numbers of horizontal and of vertical lines in images such as those of the data set `lines`.

    Opened with a straight element along x only what is at least that long in x remains; its pieces, connected across
    sides and corners and, if periodic, over the borders, are the horizontal lines. Likewise along y.

    Parameters
    ----------
    images : array ``(sample, y, x)``
        Labels; what is not 0 is line.
    element : int
        Length of the element in voxels: more than the thickest line, and no more than the shortest is long; see
        `line_element`.
    periodic : bool
        Whether images continue on their opposite side.

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
            f"element must be 2 voxels to the size of the image, {images.shape[1:]}, but {element} was given. Take "
            "more than the thickest line, as matvae.evaluate.line_element does."
        )
    inside = (images != 0).astype(np.uint8)
    mode = "wrap" if periodic else "constant"
    counts = np.empty((len(images), 2), dtype=np.int64)
    for column, size in enumerate([(1, 1, element), (1, element, 1)]):
        opened = ndimage.grey_opening(inside, size=size, mode=mode) > 0
        counts[:, column] = [label_clusters(image, connectivity=2, periodic=periodic)[1] for image in opened]
    return counts


class LineErrors:
    """How often reconstructions have the lines of the originals, gathered block by block.

    Parameters
    ----------
    element : int
        As in `count_lines`.
    periodic : bool
        As in `count_lines`.
    """

    def __init__(self, element: int, *, periodic: bool = True) -> None:
        self.element = element
        self.periodic = periodic
        self._true: list[np.ndarray] = []
        self._counted: list[np.ndarray] = []
        self._found: list[np.ndarray] = []

    def add(self, originals: np.ndarray, reconstructions: np.ndarray, numbers: np.ndarray | None = None) -> None:
        """Add labels ``(sample, y, x)`` of originals and of what was made of them.

        Parameters
        ----------
        originals, reconstructions : array ``(sample, y, x)``
            Labels; what is not 0 is line.
        numbers : array ``(sample, 2)``, optional
            True numbers of horizontal and of vertical lines of the originals, where they are known; else those that
            the counter finds in them.

        Raises
        ------
        InputError
            If shapes differ, numbers are not whole, or images and element do not fit `count_lines`.
        """
        if originals.shape != reconstructions.shape:
            raise InputError(
                f"Images of equal shape are expected, but {originals.shape} and {reconstructions.shape} were given."
            )
        known = None if numbers is None else _whole_numbers(numbers, len(originals))
        counted, found = (
            count_lines(images, element=self.element, periodic=self.periodic) for images in (originals, reconstructions)
        )
        self._true.append(counted if known is None else known)
        self._counted.append(counted)
        self._found.append(found)

    @property
    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of lines, true and found in the reconstructions, each ``(sample, 2)``: horizontal, vertical."""
        return _joined(self._true), _joined(self._found)

    def summary(self) -> dict[str, Any]:
        """Shares of structures of which the lines are right.

        Returns
        -------
        dict
            ``n_samples``; in percent of them ``orientation`` (horizontal lines are there if they should be, and
            vertical ones likewise), ``number`` (of all lines) and ``number_each`` (of horizontal and of vertical
            lines); None without any sample. ``by_number``: true number of lines to ``n``, the structures that have so
            many, and ``right``, in how many percent of them the number is right. ``originals``: in how many percent of
            the originals themselves the counter finds the true number of each orientation; where it is not 100, the
            counter does not fit the images. ``element``, in voxels.
        """
        true, found = self.numbers
        n_lines = true.sum(1)
        number = n_lines == found.sum(1)
        return {
            "n_samples": len(true),
            "orientation": _percent(((true > 0) == (found > 0)).all(1)),
            "number": _percent(number),
            "number_each": _percent((true == found).all(1)),
            "by_number": {
                int(n): {"n": int((n_lines == n).sum()), "right": _percent(number[n_lines == n])}
                for n in np.unique(n_lines)
            },
            "originals": _percent((true == _joined(self._counted)).all(1)),
            "element": self.element,
        }


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty((0, 2), dtype=np.int64), *parts])


def _whole_numbers(numbers: np.ndarray, n_samples: int) -> np.ndarray:
    values = np.asarray(numbers)
    # NaN is not equal to what it is rounded to, either.
    if values.shape != (n_samples, 2) or not np.array_equal(values, np.abs(np.round(values))):
        raise InputError(
            f"Whole numbers of horizontal and of vertical lines of {n_samples} images are expected, in the shape "
            f"({n_samples}, 2), but an array of shape {values.shape} was given, or one with other numbers."
        )
    return values.astype(np.int64)


def _percent(right: np.ndarray) -> float | None:
    return 100 * float(right.mean()) if len(right) else None
