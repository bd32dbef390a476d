"""The order of axes in files, and structures of fewer dimensions as one layer of voxels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..structures import Structures

_ORDER = "zyx"


def in_space(structures: Structures, least_dims: int) -> tuple[Structures, list[str]]:
    """Bring the axes into the order z, y, x, and add axes of one voxel until there are `least_dims`.

    Axes with other names keep their order: the last one takes the place of x.

    Parameters
    ----------
    structures : Structures
        ``(sample, *space)``.
    least_dims : int
        Smallest number of spatial axes.

    Returns
    -------
    (Structures, list of str)
        And what was changed, in sentences.
    """
    structures, notes = _in_order(structures)
    while structures.grid.ndim < least_dims:
        structures, note = _as_layer(structures)
        notes.append(note)
    return structures, notes


def _in_order(structures: Structures) -> tuple[Structures, list[str]]:
    axes = structures.grid.axes or ()
    if not set(axes) <= set(_ORDER):
        return structures, []
    order = sorted(range(len(axes)), key=lambda axis: _ORDER.index(axes[axis]))
    if order == list(range(len(axes))):
        return structures, []
    grid = structures.grid
    ordered = replace(
        grid,
        shape=_picked(grid.shape, order),
        axes=_picked(axes, order),
        voxel_size=grid.voxel_size and _picked(grid.voxel_size, order),
        origin=grid.origin and _picked(grid.origin, order),
    )
    data = structures.data.transpose(0, *(axis + 1 for axis in order))
    note = f"The axes {' '.join(axes)} are written in the order {' '.join(ordered.axes or ())}."
    return replace(structures, data=data, grid=ordered), [note]


def _picked(values: tuple[Any, ...], order: list[int]) -> tuple[Any, ...]:
    return tuple(values[axis] for axis in order)


def _as_layer(structures: Structures) -> tuple[Structures, str]:
    """Add an axis of one voxel, as thick as a voxel is long along the last axis."""
    grid = structures.grid
    axes = grid.axes or ()
    name = next(name for name in reversed(_ORDER) if name not in axes)
    # A section along x and z lacks y, which lies between them.
    place = sum(_ORDER.index(axis) < _ORDER.index(name) for axis in axes) if set(axes) <= set(_ORDER) else 0
    layer = replace(
        grid,
        shape=_with(grid.shape, place, 1),
        axes=_with(axes, place, name),
        voxel_size=grid.voxel_size and _with(grid.voxel_size, place, grid.voxel_size[-1]),
        origin=grid.origin and _with(grid.origin, place, 0.0),
    )
    thickness = f"{grid.voxel_size[-1]:g} {grid.unit or ''}".rstrip() if grid.voxel_size else "one voxel"
    note = (
        f"A {grid.ndim}-D structure is written as one layer of voxels along {name}. Its thickness is {thickness}, the "
        f"length of a voxel along {axes[-1]}."
    )
    data = structures.data.reshape(len(structures), *layer.shape)
    return replace(structures, data=data, grid=layer), note


def _with(values: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*values[:place], value, *values[place:])
