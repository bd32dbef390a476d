"""Count straight lines, the feature of a structure that everybody can see is right or wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data.datasets.lines import Lines
from ..errors import InputError
from ..shown import Shown, short_text
from ..stats.labelling import label_clusters
from .measure import Observer, RoundTrip


def line_element(shape: Sequence[int], **parameters: Any) -> int:
    """Length of the structuring element by which `count_lines` counts the lines of the data set `lines`.

    Every length from one voxel more than the thickest line to the shortest line is right for the images themselves.
    This one is three quarters of the way up. For images with ragged, thicker and shorter lines and with spurious spots,
    it counts about as many correctly as the best element for each kind of damage, at 224, 64 and 32 voxels. A short
    element takes spots and thick lines for crossing lines, which any image can contain; a long one misses only those
    few lines that are close to the shortest.

    Parameters
    ----------
    shape : (int, int)
        Voxels of an image along y and x.
    **parameters
        Of `matvae.data.datasets.lines.Lines`, where they differ from the defaults: ``thickness``, ``length``,
        ``n_lines``.

    Returns
    -------
    int
        In voxels.

    Raises
    ------
    InputError
        If an image of that shape cannot hold such lines.
    """
    lines = Lines(shape, **parameters)
    thickest, shortest = lines.thickness[1], min(low for low, _ in lines.length)
    return shortest - (shortest - thickest) // 4


def count_lines(images: np.ndarray, *, element: int, periodic: bool = True) -> np.ndarray:
    """Count horizontal and vertical lines in images such as those of the data set `lines`.

    A morphological opening with a straight element along x keeps only what is at least that long in x; the connected
    pieces that remain (connected across sides and corners and, if periodic, across the borders) are the horizontal
    lines. Likewise along y for the vertical ones.

    Parameters
    ----------
    images : array ``(sample, y, x)``
        Labels; everything other than 0 is line.
    element : int
        Length of the element in voxels: more than the thickest line, and at most the length of the shortest; see
        `line_element`.
    periodic : bool
        Whether images continue on their opposite side.

    Returns
    -------
    array of int ``(sample, 2)``
        Numbers of horizontal and vertical lines.

    Raises
    ------
    InputError
        If the images are not 2-D, or the element is shorter than two voxels or longer than the image.
    """
    # Slow to import.
    from scipy import ndimage

    images = np.asarray(images)
    if images.ndim != 3:
        raise InputError(f"Images (sample, y, x) are expected, but an array of shape {images.shape} was given.")
    if not 2 <= element <= min(images.shape[1:]):
        raise InputError(
            f"element must be 2 voxels to the size of the image, {images.shape[1:]}, but {element} was given. "
            "Take more than the thickest line, as matvae.evaluate.line_element does."
        )
    inside = (images != 0).astype(np.uint8)
    mode = "wrap" if periodic else "constant"
    counts = np.empty((len(images), 2), dtype=np.int64)
    for column, size in enumerate([(1, 1, element), (1, element, 1)]):
        opened = ndimage.grey_opening(inside, size=size, mode=mode) > 0
        counts[:, column] = [label_clusters(image, connectivity=2, periodic=periodic)[1] for image in opened]
    return counts


class LineErrors(Shown):
    """Frequency with which reconstructions have the lines of the originals, accumulated block by block.

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
        self._in_originals: list[np.ndarray] = []
        self._in_reconstructions: list[np.ndarray] = []

    def add(self, originals: np.ndarray, reconstructions: np.ndarray, numbers: np.ndarray | None = None) -> None:
        """Count the lines of originals and of their reconstructions.

        Parameters
        ----------
        originals, reconstructions : array ``(sample, y, x)``
            Labels; everything other than 0 is line.
        numbers : array ``(sample, 2)``, optional
            True numbers of horizontal and vertical lines of the originals, if known; by default those counted in them.

        Raises
        ------
        InputError
            If shapes differ, numbers are not whole, or images and element do not fit `count_lines`.
        """
        if originals.shape != reconstructions.shape:
            raise InputError(
                f"Images of equal shape are expected, but {originals.shape} and {reconstructions.shape} were given."
            )
        true = None if numbers is None else _whole_numbers(numbers, len(originals))
        in_originals, in_reconstructions = (
            count_lines(images, element=self.element, periodic=self.periodic) for images in (originals, reconstructions)
        )
        self._true.append(in_originals if true is None else true)
        self._in_originals.append(in_originals)
        self._in_reconstructions.append(in_reconstructions)

    def shown_rows(self) -> dict[str, str]:
        """The summary."""
        return {name.replace("_", " "): short_text(value) for name, value in self.summary().items()}

    def observer(self, numbers: np.ndarray | None = None) -> Observer:
        """Observer of `measure` that adds every block; `numbers` are those of the whole set."""

        def observe(trip: RoundTrip) -> None:
            true = None if numbers is None else numbers[trip.start : trip.stop]
            self.add(trip.structures, trip.reconstructions, true)

        return observe

    @property
    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """True numbers of lines, and numbers in the reconstructions, each ``(sample, 2)``: horizontal, vertical."""
        return _joined(self._true), _joined(self._in_reconstructions)

    def summary(self) -> dict[str, Any]:
        """Percentages of structures whose lines are right.

        Returns
        -------
        dict
            ``n_samples``; in percent of these: ``orientation`` (horizontal lines are present if and only if they should
            be, and vertical ones likewise), ``number`` (of all lines) and ``number_each`` (of horizontal and of
            vertical lines); None without samples. ``by_number``: maps each true number of lines to ``n``, the number of
            such structures, and ``right``, the percentage of them whose number is right. ``originals``: percentage of
            the originals in which the counter finds the true number for each orientation; below 100, the counter does
            not fit the images. ``element``, in voxels.
        """
        true, counted = self.numbers
        n_lines = true.sum(axis=1)
        is_right = n_lines == counted.sum(axis=1)
        return {
            "n_samples": len(true),
            "orientation": _percent(((true > 0) == (counted > 0)).all(axis=1)),
            "number": _percent(is_right),
            "number_each": _percent((true == counted).all(axis=1)),
            "by_number": {
                int(n): {"n": int((n_lines == n).sum()), "right": _percent(is_right[n_lines == n])}
                for n in np.unique(n_lines)
            },
            "originals": _percent((true == _joined(self._in_originals)).all(axis=1)),
            "element": self.element,
        }


def _joined(blocks: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty((0, 2), dtype=np.int64), *blocks])


def _whole_numbers(numbers: np.ndarray, n_samples: int) -> np.ndarray:
    values = np.asarray(numbers)
    # NaN differs from its rounded value, too.
    if values.shape != (n_samples, 2) or not np.array_equal(values, np.abs(np.round(values))):
        raise InputError(
            f"Whole numbers of horizontal and vertical lines of {n_samples} images are expected, in the shape "
            f"({n_samples}, 2), but the array of shape {values.shape} that was given has another shape or other values."
        )
    return values.astype(np.int64)


def _percent(is_right: np.ndarray) -> float | None:
    return 100 * float(is_right.mean()) if len(is_right) else None
