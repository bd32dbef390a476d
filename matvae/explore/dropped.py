"""A file dropped on the page: segmented, cut to the model's window, encoded, and compared with what is known."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..data import Segmentation, Structures, open_structures
from ..data.axes import AxesError
from ..data.open import open_grey
from ..data.segment import LEAST_GREY_LEVELS, segment
from ..data.subsets import spread_indices
from ..errors import InputError, MatvaeError
from ..estimator import FittedModel
from ..grid import Grid
from ..stats.map_samples import as_tensor
from ..warn import kept_warnings
from .known import LEAST_KNOWN, Known

# Endings of names are at most this long; anything else of a name is only shown, and not all of a long one.
LONGEST_ENDING, LONGEST_NAME = 12, 80
ENDING = re.compile(r"(\.[a-z0-9]{1,8}){1,2}$")
# Errors of this many known structures suffice to tell what is usual.
MOST_COMPARED = 100
USUAL = 95
# Pixels along the longer side of the small picture on which the window is placed.
SMALL_SIDE = 240


@dataclass(frozen=True)
class Dropped:
    """A window of a dropped file and its latent.

    Attributes
    ----------
    window : ndarray ``(*space)``
        Labels, or a continuous field.
    corner : tuple of int
        First voxel of the window along each axis of the image.
    shape : tuple of int
        Of the whole image.
    small : ndarray ``(row, column)``
        The image as labels, thinned out; of a volume its section normal to the first axis through the middle of the
        window.
    latent : ndarray ``(component,)``
    error : float
        Relative error of the decoded statistics.
    score : float or None
        How far the window lies outside of the known structures: the larger of its distance from the nearest latent and
        of its error, each relative to the value that 95 % of the known structures stay below. Above 1, the model says
        little about the window. None if no structures are known.
    notes : list of str
        What was done to the file.
    """

    window: np.ndarray
    corner: tuple[int, ...]
    shape: tuple[int, ...]
    small: np.ndarray
    latent: np.ndarray
    error: float
    score: float | None
    notes: list[str]


class Encoder:
    """Encodes dropped files.

    Parameters
    ----------
    model : StatsVAETransformer
    known : Known
    """

    def __init__(self, model: Any, known: Known) -> None:
        self.fitted, self.known = FittedModel.of(model), known
        # The last file as labels, by its content: another window of it needs no second segmentation.
        self._last: tuple[tuple[str, bytes], np.ndarray, list[str]] | None = None

    @cached_property
    def usual_error(self) -> float:
        """Error that 95 % of the known structures stay below; it takes a while, and not every visitor drops a file."""
        compared = self.known.structures[spread_indices(len(self.known), MOST_COMPARED)]
        return float(np.percentile(self.fitted.errors(self.fitted.restore(compared)), USUAL))

    def of(self, name: str, content: bytes, *, corner: Sequence[int] | None = None, swap: bool = False) -> Dropped:
        """Encode the content of a file.

        Parameters
        ----------
        name : str
            Its name, of which only the ending tells how it is read.
        content : bytes
        corner : sequence of int, optional
            First voxel of the window along each axis; by default the window is in the centre.
        swap : bool
            Whether phase 0 and 1 are exchanged, since a grey image does not tell which is which.

        Raises
        ------
        InputError, StoreError, MissingExtraError
            If the file cannot be read, or does not fit the model.
        """
        grid = self.fitted.grid
        image, notes = self._read(name, content)
        corner = corner_of(image.shape, grid, corner)
        if swap and grid.phases == 2:
            image = 1 - image
            notes.append("Phase 0 and 1 were exchanged.")
        window = window_at(image, grid, corner)
        if image.shape != grid.shape:
            notes.append(f"The window is {describe_region(image.shape, grid, corner)}.")
        if window.min() == window.max():
            notes.append("All voxels of this window are equal. Place it where the image has features.")
        block = self.fitted.restore(window[None])
        latent = self.fitted.latents(block)[0]
        miss = float(self.fitted.errors(block)[0])
        small = small_picture(image, grid, corner)
        return Dropped(window, corner, image.shape, small, latent, miss, self._score(latent, miss), notes)

    def _read(self, name: str, content: bytes) -> tuple[np.ndarray, list[str]]:
        key, last, ending = (name, sha256(content).digest()), self._last, ending_of(name)
        if last is None or last[0] != key:
            with tempfile.TemporaryDirectory(prefix="matvae-") as folder:
                path = Path(folder) / f"dropped{ending}"
                path.write_bytes(content)
                try:
                    image, notes = read_image(path, self.fitted.grid)
                except MatvaeError as error:
                    # The folder is of no use to the reader.
                    raise type(error)(str(error).replace(str(path), "the file").replace(str(folder), "it")) from error
            self._last = last = (key, image, [note.replace(str(path), base_of(name)) for note in notes])
        return last[1], list(last[2])

    def _score(self, latent: np.ndarray, error: float) -> float | None:
        if len(self.known) < LEAST_KNOWN:
            return None
        distance = float(self.known.region.score(as_tensor(latent[None].astype(np.float32)))[0])
        return max(distance, error / max(self.usual_error, 1e-12))


def base_of(name: str) -> str:
    """Name without folders, and not longer than can be shown."""
    base = PurePosixPath(name.replace("\\", "/")).name
    return base if len(base) <= LONGEST_NAME else f"{base[: LONGEST_NAME - 1]}\N{HORIZONTAL ELLIPSIS}"


def ending_of(name: str) -> str:
    """Ending of a name, such as ``.png`` or ``.nii.gz``, in lower case.

    Raises
    ------
    InputError
        If there is none by which a reader could be chosen.
    """
    found = ENDING.search(PurePosixPath(name.replace("\\", "/")).name.lower()[-4 * LONGEST_ENDING :])
    if found is None:
        raise InputError(
            "The name of a dropped file should end in that of its format, such as .png, .tif or .npy, but this one "
            "does not. Rename it."
        )
    last = found[0]
    return last if last.endswith(".gz") else f".{last.rpartition('.')[2]}"


def read_image(path: Path, grid: Grid) -> tuple[np.ndarray, list[str]]:
    """First structure ``(*space)`` of a file, on the local states of a model's grid, and what was done to it.

    Raises
    ------
    InputError, StoreError, MissingExtraError
        If the file cannot be read, or has another number of axes or more phases.
    """
    with kept_warnings() as notes:
        try:
            opened = _opened(path, grid)
        except AxesError as error:
            # Options that say what axes are do not exist on the page.
            raise InputError(error.problem) from error
        (image,) = opened[:1].data.compute()
        if grid.phases > 1:
            image, taken = _labels_of(image, opened.grid, grid.phases)
            notes.append(taken)
    if len(opened) > 1:
        notes.insert(0, f"The first of {len(opened)} structures in the file is taken.")
    if "channels" in opened.attributes:
        said = str(opened.attributes["channels"])
        notes.insert(0, f"{said[0].upper()}{said[1:]}.")
    return image, [note for note in notes if note]


def _opened(path: Path, grid: Grid) -> Structures:
    """Continuous fields of the model, or grey values that are to become its phases."""
    if grid.phases > 1:
        return open_grey([path], spatial_dims=grid.ndim)[0]
    opened = open_structures(path, spatial_dims=grid.ndim)
    if opened.grid.phases > 1:
        raise InputError(
            f"The model is one of continuous fields, but the file holds the labels of {opened.grid.phases} phases. "
            "Drop a file of real numbers."
        )
    return opened


def _labels_of(voxels: np.ndarray, grid: Grid, phases: int) -> tuple[np.ndarray, str]:
    """Labels ``(*space)`` of grey values, and how they were made; nothing is said of values that are labels already."""
    values = np.unique(voxels)
    if not np.isfinite(values).all():
        raise InputError("The file should hold finite grey values, but some voxels are NaN or infinite. Mend the file.")
    if len(values) < LEAST_GREY_LEVELS:
        if len(values) > phases:
            raise InputError(
                f"The model has {phases} phases, but the file has {len(values)} different values. Drop a grey image, "
                f"or one of {phases} phases."
            )
        labels = np.searchsorted(values, voxels).astype(np.uint8)
        shown = ", ".join(f"{value:g}" for value in values)
        if len(values) == 1:
            return labels, f"All voxels have the value {shown}, which is taken for phase 0."
        is_labels = np.array_equal(values, np.arange(len(values)))
        return labels, "" if is_labels else f"The values {shown} are taken for the phases 0 to {len(values) - 1}."
    threshold = "otsu" if phases == 2 else f"otsu:{phases}"
    found = segment([Structures(voxels[None], grid)], Segmentation(threshold))
    shown = ", ".join(f"{value:.4g}" for value in found.thresholds)
    labels = found.parts[0].data.compute()[0]
    return labels, f"Grey values were segmented at {shown} (Otsu); the darkest are phase 0."


def corner_of(shape: tuple[int, ...], grid: Grid, corner: Sequence[int] | None = None) -> tuple[int, ...]:
    """First voxel along each axis of a window of the model's shape in an image of a shape; by default in the centre.

    Raises
    ------
    InputError
        If the image is smaller than the window, or the window would reach beyond it.
    """
    has, needs = (" x ".join(map(str, sides)) for sides in (shape, grid.shape))
    if len(shape) != grid.ndim or any(n < m for n, m in zip(shape, grid.shape, strict=True)):
        raise InputError(
            f"The model needs at least {needs} voxels, but the file has {has}. Drop a larger image, or fit a model on "
            "smaller windows."
        )
    last = tuple(n - m for n, m in zip(shape, grid.shape, strict=True))
    if corner is None:
        return tuple(n // 2 for n in last)
    if len(corner) != grid.ndim or not all(0 <= start <= n for start, n in zip(corner, last, strict=True)):
        raise InputError(
            f"A window of {needs} voxels in an image of {has} begins at voxels from 0 to {', '.join(map(str, last))}, "
            f"but {', '.join(map(str, corner))} was given. Place it inside of the image."
        )
    return tuple(int(start) for start in corner)


def window_at(image: np.ndarray, grid: Grid, corner: tuple[int, ...]) -> np.ndarray:
    """Window of the model's shape that begins at a corner of an image ``(*space)``."""
    return np.ascontiguousarray(
        image[tuple(slice(start, start + m) for start, m in zip(corner, grid.shape, strict=True))]
    )


def describe_region(shape: tuple[int, ...], grid: Grid, corner: tuple[int, ...]) -> str:
    """Return where a window is, in words: per axis its first and last voxel, counted from 0, of how many."""
    axes = grid.axes or tuple(f"axis {k}" for k in range(grid.ndim))
    return ", ".join(
        f"{axis} {start} to {start + m - 1} of {n} voxels"
        for axis, start, m, n in zip(axes, corner, grid.shape, shape, strict=True)
    )


def small_picture(image: np.ndarray, grid: Grid, corner: tuple[int, ...]) -> np.ndarray:
    """Image ``(row, column)`` of at most `SMALL_SIDE` pixels along an axis; every so many voxels are shown."""
    plane = image[corner[0] + grid.shape[0] // 2] if image.ndim == 3 else np.atleast_2d(image)
    step = -(-max(plane.shape) // SMALL_SIDE)
    return np.ascontiguousarray(plane[::step, ::step])
