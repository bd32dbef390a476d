"""Volumes packed for the interactive viewer of a page: at most 64 voxels along each axis, one byte per voxel."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..grid import Grid
from .style import COLOUR_MAP, load_matplotlib

# Voxels along an axis that can be told apart on a screen, and ray-traced without delay.
MOST_VOXELS = 64
# Ink is too dark for shading.
SOLID_COLOUR = "#5b8fc0"
WHITENING = 0.35


@dataclass(frozen=True)
class Volume:
    """A volume for the viewer of a page.

    Parameters
    ----------
    title : str
    shape : str
        Numbers of voxels along z, y and x, as ``"64,64,64"``.
    size : str
        Edge lengths of a voxel along z, y and x, relative to the longest, in the same form.
    voxels : str
        Labels: base64 of one byte per voxel.
    colours : tuple of str
        ``"#rrggbb"`` from phase 1 on; phase 0 is transparent.
    note : str
        How the structure was converted for display.
    """

    title: str
    shape: str
    size: str
    voxels: str
    colours: tuple[str, ...]
    note: str


def pack_volume(structure: np.ndarray, title: str, *, grid: Grid) -> Volume:
    """Coarsen a volume as far as needed to display it.

    Parameters
    ----------
    structure : array ``(z, y, x)``
        Labels, or a continuous field, of which the part above the mean is shown.
    title : str
    grid : Grid
        Provides phases and voxel size.

    Returns
    -------
    Volume
        If there are more than 64 voxels along an axis, blocks of voxels are merged to their most frequent phase.

    Raises
    ------
    InputError
        If the structure is not a volume.
    """
    if structure.ndim != 3:
        raise InputError(f"A volume (z, y, x) is expected, but the shape is {structure.shape}.")
    phases, note = grid.phases, "All phases except phase 0 are solid."
    labels = structure
    if phases == 1:
        labels, phases = (structure > structure.mean()).astype(np.uint8), 2
        note = "The part of the field above its mean is solid."
    elif phases == 2:
        note = "Phase 1 is solid."
    block = [-(-n // MOST_VOXELS) for n in labels.shape]
    if max(block) > 1:
        labels = merge_blocks(labels, block, phases)
        note += f" Each block of {' x '.join(map(str, block))} voxels is shown as one, in its most frequent phase."
    edges = np.array(grid.voxel_size or (1.0, 1.0, 1.0)) * block
    return Volume(
        title,
        ",".join(map(str, labels.shape)),
        ",".join(f"{edge:.6g}" for edge in edges / edges.max()),
        base64.b64encode(np.ascontiguousarray(labels, dtype=np.uint8).tobytes()).decode("ascii"),
        _colours(phases),
        note,
    )


def merge_blocks(labels: np.ndarray, block: list[int], phases: int) -> np.ndarray:
    """Merge blocks of voxels to their most frequent phase, the lowest in a tie; blocks at the end may be smaller."""
    largest = np.full([-(-n // width) for n, width in zip(labels.shape, block, strict=True)], -1)
    merged = np.zeros(largest.shape, dtype=np.uint8)
    for phase in range(phases):
        count = (labels == phase).astype(np.int64)
        for axis, width in enumerate(block):
            count = np.add.reduceat(count, np.arange(0, count.shape[axis], width), axis=axis)
        merged[count > largest] = phase
        largest = np.maximum(largest, count)
    return merged


def _colours(phases: int) -> tuple[str, ...]:
    if phases == 2:
        return (SOLID_COLOUR,)
    matplotlib = load_matplotlib()
    # The colours of structures in images, whitened so that the darkest can still be shaded.
    colours = matplotlib.colormaps[COLOUR_MAP](np.linspace(1, 0, phases))[1:, :3]
    return tuple(matplotlib.colors.to_hex(WHITENING + (1 - WHITENING) * colour) for colour in colours)
