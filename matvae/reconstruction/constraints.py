"""Constraints on a structure besides its statistics: fixed voxels, and phases that connect one side to the other."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..errors import InputError
from ..grid import Grid
from .labels import FREE, count_voxels, indicators, nearest_labels
from .paths import crosses, path_through

Percolates = tuple[tuple[int, int], ...]


def read_fixed(fixed: Any, grid: Grid, counts: Tensor) -> Tensor | None:
    """Check fixed voxels.

    Parameters
    ----------
    fixed : array ``(*space)`` or ``(sample, *space)``, or None
        Labels of known voxels, 255 where a voxel is free.
    grid : Grid
    counts : Tensor ``(sample, phase)``
        Number of voxels of each phase.

    Returns
    -------
    Tensor of uint8 ``(sample, *space)``, or None
        On the device of `counts`.

    Raises
    ------
    InputError
        If shape or labels do not match, or more voxels of a phase are fixed than its volume fraction allows.
    """
    if fixed is None:
        return None
    array = np.asarray(fixed.cpu() if isinstance(fixed, Tensor) else fixed)
    if array.shape not in (grid.shape, (len(counts), *grid.shape)):
        raise InputError(
            f"fixed must be labels of shape {grid.shape}, or {(len(counts), *grid.shape)} with one set per sample, and "
            f"255 where a voxel is free, but an array of shape {array.shape} was given."
        )
    if array.dtype.kind not in "biu" or not bool(((array == FREE) | ((array >= 0) & (array < grid.phases))).all()):
        raise InputError(
            f"fixed must be integer labels 0 to {grid.phases - 1}, and 255 where a voxel is free, but {array.dtype} "
            f"values from {array.min()} to {array.max()} were given."
        )
    labels = torch.from_numpy(array.astype(np.uint8)).expand(len(counts), *grid.shape).to(counts.device)
    n_fixed = count_voxels(labels, grid.phases)
    if bool((n_fixed > counts).any()):
        sample, phase = (int(index) for index in torch.nonzero(n_fixed > counts)[0])
        raise InputError(
            f"At most {int(counts[sample, phase])} voxels of phase {phase} fit the volume fraction of sample {sample}, "
            f"but fixed has {int(n_fixed[sample, phase])}. Fix fewer, or pass statistics with a larger volume fraction."
        )
    return labels


def read_percolates(percolates: Any, grid: Grid, counts: Tensor, fixed: Tensor | None) -> Percolates:
    """Check which phases must connect the two sides of which axes.

    Parameters
    ----------
    percolates : (phase, axis), or a list of such pairs, or None
        The axis by number or by name.
    grid, counts, fixed
        As in, and from, `read_fixed`.

    Returns
    -------
    tuple of (phase, axis)

    Raises
    ------
    InputError
        If a phase or an axis does not exist, or no path is possible.
    """
    pairs = tuple(_pair(pair, grid) for pair in _listed(percolates))
    if grid.ndim == 2 and len(set(pairs)) > 1:
        crossing = {(phase, other) for phase, a in pairs for other, b in pairs if phase != other and a != b}
        if crossing:
            raise InputError(
                "In two dimensions a phase that connects two sides separates the other two, but percolates asks for "
                f"different phases along different axes: {list(pairs)}. Ask for one of them."
            )
    for phase, axis in pairs:
        least = int(counts[:, phase].min())
        if least < grid.shape[axis]:
            raise InputError(
                f"Phase {phase} needs at least {grid.shape[axis]} voxels to connect the two sides of axis {axis}, but "
                f"a volume fraction gives it only {least}. Omit it from percolates, or reconstruct those statistics "
                "separately."
            )
        for sample, labels in enumerate(_different(fixed)):
            if not crosses((labels == phase) | (labels == FREE), axis):
                raise InputError(
                    f"Phase {phase} cannot connect the two sides of axis {axis}: the fixed voxels of sample {sample} "
                    "leave no path. Free some of them."
                )
    return pairs


def connect(labels: Tensor, counts: Tensor, percolates: Percolates, fixed: Tensor | None) -> tuple[Tensor, Tensor]:
    """Open the requested paths by changing as few voxels as possible.

    Parameters
    ----------
    labels : Tensor ``(sample, *space)``
    counts : Tensor ``(sample, phase)``
        Number of voxels of each phase, which the result has.
    percolates : tuple of (phase, axis)
    fixed : Tensor ``(sample, *space)``, optional
        Labels of fixed voxels, 255 elsewhere.

    Returns
    -------
    labels : Tensor ``(sample, *space)``
    fixed : Tensor ``(sample, *space)``
        Including the paths: as long as these voxels stay, so does the connection.

    Raises
    ------
    InputError
        If paths of several phases block each other.
    """
    before = np.full(labels.shape, FREE, np.uint8) if fixed is None else fixed.cpu().numpy()
    pairs = zip(labels.cpu().numpy(), before, counts.cpu().numpy(), strict=True)
    with_paths = np.stack([_with_paths(*sample, percolates) for sample in pairs])
    kept = torch.from_numpy(with_paths).to(labels.device)
    # Voxels that a path takes from other phases are returned where voxels have the fewest neighbours of their phase.
    fields = indicators(torch.where(kept == FREE, labels, kept.long()), counts.shape[1])
    pool = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)[labels.ndim - 2]
    neighbours = pool(fields, 3, stride=1, padding=1)
    return nearest_labels(fields + neighbours / 2, counts, fixed=kept), kept


def _with_paths(labels: np.ndarray, fixed: np.ndarray, counts: np.ndarray, percolates: Percolates) -> np.ndarray:
    """Fixed voxels ``(*space)`` and the paths: those that change the fewest voxels, otherwise straight ones."""
    for straight in (False, True):
        held = fixed.copy()
        for phase, axis in percolates:
            path = path_through((labels == phase) | (held == phase), (held == phase) | (held == FREE), axis, straight)
            if path is None:
                break
            held.ravel()[path] = phase
        else:
            taken = np.bincount(held[held != FREE], minlength=len(counts))
            if (taken <= counts).all():
                return held
    raise InputError(
        f"Paths for percolates={list(percolates)} do not exist together: the phases or fixed voxels block each other, "
        "or there are too few voxels of a phase. Ask for fewer of them."
    )


def _different(fixed: Tensor | None) -> np.ndarray | list[np.ndarray]:
    """Fixed voxels of all samples, only once if they are the same for all."""
    if fixed is None:
        return []
    return (fixed[:1] if fixed.stride(0) == 0 else fixed).cpu().numpy()


def _listed(percolates: Any) -> Sequence[Any]:
    if percolates is None:
        return []
    if isinstance(percolates, tuple) and len(percolates) == 2 and not isinstance(percolates[0], tuple | list):
        return [percolates]
    if isinstance(percolates, tuple | list):
        return percolates
    raise InputError(f"percolates must be (phase, axis), or a list of such pairs, but {percolates!r} was given.")


def _pair(pair: Any, grid: Grid) -> tuple[int, int]:
    axes = grid.axes or ()
    try:
        phase, axis = pair
        number = axes.index(axis) if isinstance(axis, str) and axis in axes else operator.index(axis)
        if 0 <= operator.index(phase) < grid.phases and -grid.ndim <= number < grid.ndim:
            return operator.index(phase), number % grid.ndim
    except (TypeError, ValueError):
        pass
    raise InputError(
        f"percolates must name a phase from 0 to {grid.phases - 1} and one of the axes {', '.join(axes)}, by name or "
        f"number, such as (1, {axes[0]!r}), but {pair!r} was given."
    )
