"""A file dropped on the page: segmented, cut to the model's window, encoded, and compared with what is known."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..data import Segmentation, Structures, open_structures
from ..data.open import open_grey
from ..data.segment import LEAST_GREY_LEVELS, segment
from ..data.subsets import spread_indices
from ..errors import InputError, MatvaeError
from ..estimator import FittedModel
from ..grid import Grid
from ..stats.map_samples import as_tensor
from .known import LEAST_KNOWN, Known

# Endings of names are at most this long; anything else of a name is dropped.
LONGEST_ENDING = 12
ENDING = re.compile(r"(\.[a-z0-9]{1,8}){1,2}$")
# Errors of this many known structures suffice to tell what is usual.
MOST_COMPARED = 100
USUAL = 95


@dataclass(frozen=True)
class Dropped:
    """A window of a dropped file and its latent.

    Attributes
    ----------
    window : ndarray ``(*space)``
        Labels, or a continuous field.
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

    @cached_property
    def usual_error(self) -> float:
        """Error that 95 % of the known structures stay below; it takes a while, and not every visitor drops a file."""
        compared = self.known.structures[spread_indices(len(self.known), MOST_COMPARED)]
        return float(np.percentile(self.fitted.errors(self.fitted.restore(compared)), USUAL))

    def of(self, name: str, content: bytes, *, swap: bool = False) -> Dropped:
        """Encode the content of a file.

        Parameters
        ----------
        name : str
            Its name, of which only the ending is used.
        content : bytes
        swap : bool
            Whether phase 0 and 1 are exchanged, since a grey image does not tell which is which.

        Raises
        ------
        InputError, StoreError, MissingExtraError
            If the file cannot be read, or does not fit the model.
        """
        grid = self.fitted.grid
        with tempfile.TemporaryDirectory(prefix="matvae-") as folder:
            path = Path(folder) / f"dropped{ending_of(name)}"
            path.write_bytes(content)
            try:
                image, notes = read_image(path, grid)
            except MatvaeError as error:
                # The folder is of no use to the reader.
                raise type(error)(str(error).replace(str(path), "the file").replace(str(folder), "it")) from error
        window, cut = central_window(image, grid)
        if swap and grid.phases == 2:
            window = 1 - window
            notes.append("Phase 0 and 1 were exchanged.")
        if window.min() == window.max():
            notes.append("All voxels of this window are equal: its features are larger than the window.")
        block = self.fitted.restore(window[None])
        latent = self.fitted.latents(block)[0]
        miss = float(self.fitted.errors(block)[0])
        return Dropped(window, latent, miss, self._score(latent, miss), [*notes, *cut])

    def _score(self, latent: np.ndarray, error: float) -> float | None:
        if len(self.known) < LEAST_KNOWN:
            return None
        distance = float(self.known.region.score(as_tensor(latent[None].astype(np.float32)))[0])
        return max(distance, error / max(self.usual_error, 1e-12))


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
    if grid.phases == 1:
        opened, notes = open_structures(path, spatial_dims=grid.ndim), list[str]()
        if opened.grid.phases > 1:
            raise InputError(
                f"The model is one of continuous fields, but the file holds the labels of {opened.grid.phases} phases. "
                "Drop a file of real numbers."
            )
    else:
        opened, notes = _phases_of(path, grid)
    if len(opened) > 1:
        notes.insert(0, f"The first of {len(opened)} structures in the file is taken.")
    return opened[:1].data.compute()[0], notes


def _phases_of(path: Path, grid: Grid) -> tuple[Structures, list[str]]:
    (grey,) = open_grey([path], spatial_dims=grid.ndim)
    grey = grey[:1]
    voxels = grey.data.compute()
    values = np.unique(voxels)
    if not np.isfinite(values).all():
        raise InputError("The file should hold finite grey values, but some voxels are NaN or infinite. Mend the file.")
    if len(values) < LEAST_GREY_LEVELS:
        if len(values) > grid.phases:
            raise InputError(
                f"The model has {grid.phases} phases, but the file has {len(values)} different values. Drop a grey "
                f"image, or one of {grid.phases} phases."
            )
        labels = np.searchsorted(values, voxels).astype(np.uint8)
        if len(values) == 1 or not np.array_equal(values, np.arange(len(values))):
            shown = ", ".join(f"{value:g}" for value in values)
            notes = [f"The values {shown} are taken for the phases 0 to {len(values) - 1}."]
        else:
            notes = []
        return Structures(labels, replace(grey.grid, phases=grid.phases, periodic=False)), notes
    threshold = "otsu" if grid.phases == 2 else f"otsu:{grid.phases}"
    found = segment([grey], Segmentation(threshold))
    shown = ", ".join(f"{value:.4g}" for value in found.thresholds)
    return found.parts[0], [f"Grey values were segmented at {shown} (Otsu); the darkest are phase 0."]


def central_window(image: np.ndarray, grid: Grid) -> tuple[np.ndarray, list[str]]:
    """Window of the model's shape from the centre of an image ``(*space)``, and a note if more than it was given.

    Raises
    ------
    InputError
        If the image is smaller than the window.
    """
    has, needs = (" x ".join(map(str, shape)) for shape in (image.shape, grid.shape))
    if image.ndim != grid.ndim or any(n < m for n, m in zip(image.shape, grid.shape, strict=True)):
        raise InputError(
            f"The model needs at least {needs} voxels, but the file has {has}. Drop a larger image, or fit a model on "
            "smaller windows."
        )
    starts = [(n - m) // 2 for n, m in zip(image.shape, grid.shape, strict=True)]
    window = image[tuple(slice(start, start + m) for start, m in zip(starts, grid.shape, strict=True))]
    note = [] if image.shape == grid.shape else [f"The central {needs} of {has} voxels are shown."]
    return np.ascontiguousarray(window), note
