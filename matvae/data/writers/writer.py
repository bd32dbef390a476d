"""What every writer states and does, and the lengths and voxels that writers need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from ...grid import Grid
from ..sample_blocks import READ_BYTES, chunk_spans
from ..structures import Structures


class Writer(ABC):
    """Writer of one file format.

    Attributes
    ----------
    suffixes : tuple of str
        Endings of the files, in lower case. The longest one that fits a path chooses the format.
    holds : frozenset of str
        Which of these a file can hold: ``"samples"`` (several in one file), ``"fields"`` (continuous ones),
        ``"voxel_size"``, ``"unit"``, ``"origin"``.
    least_dims : int
        Smallest number of spatial axes; structures with fewer are handed over as one layer of voxels.
    """

    suffixes: ClassVar[tuple[str, ...]]
    holds: ClassVar[frozenset[str]]
    least_dims: ClassVar[int] = 1

    def paths(self, path: Path, grid: Grid) -> list[Path]:
        """Return all files or folders that `write` may create for `path`; all of them lie in the folder of `path`."""
        return [path]

    @abstractmethod
    def write(self, path: Path, structures: Structures) -> Sequence[str]:
        """Write structures to `path`, where nothing exists.

        Parameters
        ----------
        path : Path
            One of `suffixes` is its ending.
        structures : Structures
            ``(sample, *space)``: uint8 labels, or float32 if the format holds fields, with axes in the order z, y, x as
            far as they have these names. One sample, unless the format holds several.

        Returns
        -------
        sequence of str
            What the user should know about the file, in sentences; empty if there is nothing.
        """


def lengths(grid: Grid) -> tuple[float, ...]:
    """Return the edge lengths of a voxel; one where they are unknown."""
    return grid.voxel_size or (1.0,) * grid.ndim


def corner(grid: Grid) -> tuple[float, ...]:
    """Return the position of the outer corner of the first voxel; zero where it is unknown."""
    return grid.origin or (0.0,) * grid.ndim


def volume(structures: Structures) -> np.ndarray:
    """Read the only sample, ``(*space)``."""
    return np.ascontiguousarray(structures.data[0].compute())


def blocks(structures: Structures, *, whole_samples: bool = False) -> Iterator[np.ndarray]:
    """Read all voxels in the order of the array, block by block: several samples at once, or some layers of one.

    Parameters
    ----------
    structures : Structures
        ``(sample, *space)``.
    whole_samples : bool
        Whether samples are never split, however large they are.

    Yields
    ------
    numpy.ndarray
        ``(samples, layers, ...)`` of about 16 MiB, unless the chunks of the structures are larger.
    """
    data = structures.data
    sample_bytes = structures.grid.n_voxels * data.dtype.itemsize
    for start, stop in chunk_spans(data.chunks[0], READ_BYTES // max(1, sample_bytes)):
        if whole_samples or sample_bytes <= READ_BYTES:
            yield data[start:stop].compute()
            continue
        layer_bytes = sample_bytes // structures.grid.shape[0]
        for sample in range(start, stop):
            for low, high in chunk_spans(data.chunks[1], READ_BYTES // max(1, layer_bytes)):
                yield data[sample : sample + 1, low:high].compute()
