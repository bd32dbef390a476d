"""Straight runs of neighbouring voxels: what lineal paths and chords are made of."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError


def segment_products(fields: Tensor, axis: int, periodic: bool, longest: int) -> Iterator[Tensor]:
    """Products of 1, 2, ..., `longest` neighbouring voxels along an axis, one for each place where a run begins.

    Parameters
    ----------
    fields : Tensor ``(sample, *space)``
        Value at each voxel; of 0 and 1, a product says whether all voxels of the run are in the phase.
    axis : int
        Axis of the tensor along which runs lie.
    periodic : bool
        Whether runs go on at the other side; otherwise k of N voxels have N-k+1 places.
    longest : int
        Number of voxels of the longest run.

    Yields
    ------
    Tensor ``(sample, *place)``
    """
    n = fields.shape[axis]
    repeated = fields
    while periodic and repeated.shape[axis] < n + longest - 1:
        repeated = torch.cat([repeated, fields], dim=axis)
    product = fields
    yield product
    for voxels in range(2, longest + 1):
        places = n if periodic else n - voxels + 1
        product = product.narrow(axis, 0, places)
        # Where no run is left there is no longer one either, but its derivative need not be zero.
        if product.requires_grad or bool(product.any()):
            product = product * repeated.narrow(axis, voxels - 1, places)
        yield product


def totals(products: Iterator[Tensor]) -> Tensor:
    """Sums ``(sample, length)`` of products over all places."""
    return torch.stack([product.flatten(1).sum(1) for product in products], dim=1)


def segment_counts(field: Tensor, mask: Tensor | None, axis: int, periodic: bool, longest: int) -> Tensor:
    """Number (or, with a mask, weight) of the places of runs of 1, 2, ..., `longest` voxels.

    Parameters
    ----------
    field : Tensor ``(sample, *space)``
        The structures.
    mask : Tensor ``(1, *space)`` or ``(sample, *space)``, optional
        Weight of each voxel; a run has the product of its voxels' weights.
    axis, periodic, longest
        As in `segment_products`.

    Returns
    -------
    Tensor ``(1, length)`` or ``(sample, length)``

    Raises
    ------
    InputError
        If the mask leaves a length without any place.
    """
    if mask is None:
        n = field.shape[axis]
        across = field[0].numel() / n
        places = [across * (n if periodic else n - voxels) for voxels in range(longest)]
        return field.new_tensor([places])
    counts = totals(segment_products(mask.to(field), axis, periodic, longest))
    empty = (counts <= 0).any(0)
    if bool(empty.any()):
        voxels = int(empty.int().argmax()) + 1
        raise InputError(
            f"Every length needs a place with weight, but the mask leaves none for a run of {voxels} voxels along axis "
            f"{axis - 1}, in at least one sample. Pass a smaller cutoff, or leave that sample out."
        )
    return counts


def resolve_axes(axis: int | None, ndim: int) -> tuple[int, ...]:
    """The spatial axes that are meant: all of them for None.

    Raises
    ------
    InputError
        If there is no such axis.
    """
    if axis is None:
        return tuple(range(ndim))
    number = _integer(axis)
    if number is None or not -ndim <= number < ndim:
        raise InputError(
            f"axis must be a spatial axis, 0 to {ndim - 1}, or None for the average over all, but {axis!r} was given."
        )
    return (number % ndim,)


def resolve_longest(cutoff: int | None, least: int, most: int, what: str) -> int:
    """The greatest length: `most` for None.

    Raises
    ------
    InputError
        If it does not fit the window.
    """
    number = most if cutoff is None else _integer(cutoff)
    if number is None or not least <= number <= most:
        room = f"{least} to {most} voxels" if most >= least else f"no length at all, not even {least}"
        raise InputError(
            f"{what} along the chosen axes have a window for {room}, but cutoff={cutoff!r} was given. Choose a cutoff "
            "in this range, or with axis=... a longer axis."
        )
    return number


def _integer(value: Any) -> int | None:
    try:
        return None if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        return None
