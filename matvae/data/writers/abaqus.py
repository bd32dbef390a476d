"""Abaqus input (.inp): one element per voxel, a set of elements per phase, and a set of nodes per face.

Written by hand: meshio, the library for it, names these elements C3D8RH and CAX4P, which are others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TextIO

import numpy as np

from ..structures import Structures
from .writer import Writer, corner, lengths, volume

# Rows that are formatted at once.
_ROWS = 100_000
_ELEMENTS = {2: "CPS4", 3: "C3D8"}
# Corners of an element in the order of Abaqus, as steps along x, y, z from the first.
_CORNERS = {
    2: ((0, 0), (1, 0), (1, 1), (0, 1)),
    3: ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)),
}
_PER_LINE = 16


class AbaqusWriter(Writer):
    """Writer of voxel meshes: C3D8 in three dimensions, CPS4 in two; nodes and elements count x fastest, from 1."""

    suffixes = (".inp",)
    holds = frozenset({"voxel_size", "unit", "origin"})
    least_dims = 2

    def write(self, path: Path, structures: Structures) -> Sequence[str]:
        """Write nodes, the elements of every phase, and the nodes of the faces."""
        grid = structures.grid
        labels = volume(structures).ravel()
        shape = grid.shape[::-1]
        with path.open("w", encoding="ascii", newline="\n") as file:
            file.write(f"*HEADING\nVoxel mesh by matvae, {' x '.join(map(str, shape))} elements along x, y, z\n")
            file.write(f"** Unit of length: {ascii(grid.unit)[1:-1] if grid.unit else 'not known'}\n")
            file.write("*NODE, NSET=ALL\n")
            for rows in _nodes(shape, lengths(grid)[::-1], corner(grid)[::-1]):
                np.savetxt(file, rows, fmt=["%d"] + ["%.12g"] * grid.ndim, delimiter=", ")
            absent = []
            for phase in range(grid.phases):
                voxels = np.flatnonzero(labels == phase)
                if not voxels.size:
                    absent.append(str(phase))
                    continue
                file.write(f"*ELEMENT, TYPE={_ELEMENTS[grid.ndim]}, ELSET=PHASE_{phase}\n")
                for start in range(0, voxels.size, _ROWS):
                    np.savetxt(file, _elements(voxels[start : start + _ROWS], shape), fmt="%d", delimiter=", ")
            for axis, side in product(range(grid.ndim), ("MIN", "MAX")):
                file.write(f"*NSET, NSET={'XYZ'[axis]}{side}\n")
                _write_set(file, _face(shape, axis, side))
        if not absent:
            return []
        return [f"{path.name}: no voxel has the phase {', '.join(absent)}, so there is no set of its elements."]


def _nodes(shape: Sequence[int], size: Sequence[float], origin: Sequence[float]) -> Iterator[np.ndarray]:
    """Yield rows of the number of a node and its coordinates; `shape` counts elements along x, y, z."""
    n_nodes = [length + 1 for length in shape]
    total = int(np.prod(n_nodes))
    for start in range(0, total, _ROWS):
        numbers = np.arange(start, min(start + _ROWS, total))
        steps = np.unravel_index(numbers, n_nodes, order="F")
        coordinates = [first + step * length for first, step, length in zip(origin, steps, size, strict=True)]
        yield np.column_stack([numbers + 1, *coordinates])


def _elements(voxels: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Return rows of the number of an element and those of its nodes."""
    n_nodes = [length + 1 for length in shape]
    first = np.unravel_index(voxels, shape, order="F")
    nodes = [
        np.ravel_multi_index(
            [start + step for start, step in zip(first, corner_steps, strict=True)], n_nodes, order="F"
        )
        for corner_steps in _CORNERS[len(shape)]
    ]
    return np.column_stack([voxels, *nodes]) + 1


def _face(shape: Sequence[int], axis: int, side: str) -> np.ndarray:
    """Return the numbers of the nodes of one face."""
    n_nodes = [length + 1 for length in shape]
    ranges = [np.arange(n) for n in n_nodes]
    ranges[axis] = ranges[axis][[0]] if side == "MIN" else ranges[axis][[-1]]
    steps = np.meshgrid(*ranges, indexing="ij")
    return np.sort(np.ravel_multi_index([step.ravel() for step in steps], n_nodes, order="F")) + 1


def _write_set(file: TextIO, numbers: np.ndarray) -> None:
    for start in range(0, numbers.size, _PER_LINE):
        file.write(", ".join(map(str, numbers[start : start + _PER_LINE].tolist())) + "\n")


writer = AbaqusWriter()
