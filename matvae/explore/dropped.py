"""Images that are dropped on the page: opened, segmented if they are grey, and cut to the windows of the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data import Structures, open_structures
from ..data.open import open_grey
from ..data.segment import Segmentation, segment
from ..errors import InputError
from .explorer import Explorer, check_size


@dataclass(frozen=True)
class Dropped:
    """A window of an image.

    Parameters
    ----------
    labels : ndarray of uint8 ``(*space)``
    notes : list of str
        What was done to the image.
    """

    labels: np.ndarray
    notes: list[str]


def read_dropped(path: Path, explorer: Explorer) -> Dropped:
    """Read the middle of an image as labels of the phases of a model.

    Parameters
    ----------
    path : Path
        In any format that `open_structures` reads.
    explorer : Explorer

    Raises
    ------
    InputError, StoreError, MissingExtraError
        If it cannot be read, or has fewer voxels along an axis than the windows of the model.
    """
    grid, phases = explorer.grid, explorer.grid.phases
    structures, notes = _segmented(path, explorer)
    if structures.grid.ndim != grid.ndim:
        raise InputError(
            f"The model is of structures with {grid.ndim} axes, but {path.name} has {structures.grid.ndim}. Drop "
            f"{'an image' if grid.ndim == 2 else 'a volume'}."
        )
    if structures.grid.phases > phases:
        raise InputError(f"{path.name} holds {structures.grid.phases} phases, but the model has {phases}.")
    if any(n < side for n, side in zip(structures.grid.shape, grid.shape, strict=True)):
        size, least = (" x ".join(map(str, shape)) for shape in (structures.grid.shape, grid.shape))
        raise InputError(f"{path.name} has {size} voxels, but a window of the model has {least}. Drop a larger image.")
    corner = [(n - side) // 2 for n, side in zip(structures.grid.shape, grid.shape, strict=True)]
    box = tuple(slice(start, start + side) for start, side in zip(corner, grid.shape, strict=True))
    if structures.grid.shape != grid.shape:
        notes.append(f"The middle {' x '.join(map(str, grid.shape))} voxels are shown.")
    if (
        grid.voxel_size
        and structures.grid.voxel_size
        and not np.allclose(grid.voxel_size, structures.grid.voxel_size, rtol=1e-3)
    ):
        notes.append(
            f"Its voxels of {structures.grid.voxel_size} {structures.grid.length_unit} are not those of the model "
            f"({grid.voxel_size} {grid.length_unit}): compare with care."
        )
    return Dropped(structures.data[0][box].compute().astype(np.uint8), notes)


def _segmented(path: Path, explorer: Explorer) -> tuple[Structures, list[str]]:
    known = explorer.model.phase_values_
    if known is not None:
        try:
            return open_structures(path, phase_values=tuple(known), spatial_dims=explorer.grid.ndim), []
        except InputError as error:
            first = str(error).split(". ")[0]
            return _by_threshold(path, explorer, [f"Not labelled like the training data ({first})."])
    try:
        structures = open_structures(path, phase_values="auto", spatial_dims=explorer.grid.ndim)
    except InputError:
        return _by_threshold(path, explorer, [])
    return structures, ["Its values became phases in ascending order."]


def _by_threshold(path: Path, explorer: Explorer, notes: list[str]) -> tuple[Structures, list[str]]:
    (grey,) = open_grey([path], spatial_dims=explorer.grid.ndim)
    check_size(grey.data.shape, path.name)
    phases = explorer.grid.phases
    segmented = segment([grey[:1]], Segmentation("otsu" if phases == 2 else f"otsu:{phases}"))
    values = ", ".join(f"{value:.4g}" for value in segmented.thresholds)
    return segmented.parts[0], [*notes, f"Segmented by Otsu's method: threshold {values}."]
