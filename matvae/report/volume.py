"""A volume as a page carries it, to be turned by hand: few enough voxels, one byte each."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..grid import Grid
from .plots import MAP, load_matplotlib

# Voxels along an axis: as many as can be told apart, and drawn at once.
MOST = 64
# Ink is too dark to be shaded.
SOLID = "#5b8fc0"
LIGHTER = 0.35


@dataclass(frozen=True)
class Volume:
    """A volume for the viewer of a page.

    Parameters
    ----------
    title : str
    shape : str
        Voxels along z, y and x, as ``"64,64,64"``.
    size : str
        Edges of a voxel along z, y and x, relative to the longest, likewise.
    voxels : str
        Phases, base64 of one byte a voxel.
    colours : tuple of str
        ``"#rrggbb"`` of phases 1 and so on; phase 0 is empty.
    note : str
        What was done to show it.
    """

    title: str
    shape: str
    size: str
    voxels: str
    colours: tuple[str, ...]
    note: str


def pack_volume(structure: np.ndarray, title: str, *, grid: Grid) -> Volume:
    """Make a volume small enough to show.

    Parameters
    ----------
    structure : array ``(z, y, x)``
        Labels, or a continuous field, of which what lies above its mean is shown.
    title : str
    grid : Grid
        Gives phases and voxel size.

    Returns
    -------
    Volume
        Of more than 64 voxels along an axis, blocks are merged to the phase that most of their voxels have.

    Raises
    ------
    InputError
        If the structure is no volume.
    """
    if structure.ndim != 3:
        raise InputError(f"A volume (z, y, x) is expected, but the shape is {structure.shape}.")
    phases, note = grid.phases, "All phases but phase 0 are solid."
    labels = structure
    if phases == 1:
        labels, phases = (structure > structure.mean()).astype(np.uint8), 2
        note = "Solid is what lies above the mean of the field."
    elif phases == 2:
        note = "Phase 1 is solid."
    step = [-(-n // MOST) for n in labels.shape]
    if max(step) > 1:
        labels = merge_blocks(labels, step, phases)
        note += f" {' x '.join(map(str, step))} voxels are shown as one, of the phase that most of them have."
    edges = np.array(grid.voxel_size or (1.0, 1.0, 1.0)) * step
    return Volume(
        title,
        ",".join(map(str, labels.shape)),
        ",".join(f"{edge:.6g}" for edge in edges / edges.max()),
        base64.b64encode(np.ascontiguousarray(labels, dtype=np.uint8).tobytes()).decode("ascii"),
        _colours(phases),
        note,
    )


def merge_blocks(labels: np.ndarray, step: list[int], phases: int) -> np.ndarray:
    """Merge blocks of voxels to their most frequent phase, of equals the first; those at the end may be smaller."""
    best = np.full([-(-n // s) for n, s in zip(labels.shape, step, strict=True)], -1)
    merged = np.zeros(best.shape, dtype=np.uint8)
    for phase in range(phases):
        count = (labels == phase).astype(np.int64)
        for axis, s in enumerate(step):
            count = np.add.reduceat(count, np.arange(0, count.shape[axis], s), axis=axis)
        merged[count > best] = phase
        best = np.maximum(best, count)
    return merged


def _colours(phases: int) -> tuple[str, ...]:
    if phases == 2:
        return (SOLID,)
    matplotlib, _ = load_matplotlib()
    # The colours of structures in pictures, with as much white in them as it takes to shade the darkest.
    colours = matplotlib.colormaps[MAP](np.linspace(1, 0, phases))[1:, :3]
    return tuple(matplotlib.colors.to_hex(LIGHTER + (1 - LIGHTER) * colour) for colour in colours)
