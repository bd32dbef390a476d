"""Products of neighbouring voxels along straight segments, the basis of lineal paths and chord lengths."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..errors import InputError
from ..validate import is_integer

# Lengths relative to the shortest edge of a voxel are rounded, so that equal ones along different axes are one.
DECIMALS = 9


def segment_products(fields: Tensor, axis: int, periodic: bool, longest: int) -> Iterator[Tensor]:
    """Yield the products of 1, 2, ..., `longest` neighbouring voxels along an axis, at each position of a segment.

    Parameters
    ----------
    fields : Tensor ``(sample, *space)``
        Value at each voxel. If these are 0 and 1, a product indicates that all voxels of the segment are in the phase.
    axis : int
        Axis of the tensor along which segments lie.
    periodic : bool
        Whether segments continue on the opposite side; otherwise k of N voxels have N-k+1 positions.
    longest : int
        Number of voxels in the longest segment.

    Yields
    ------
    Tensor ``(sample, *position)``
    """
    n = fields.shape[axis]
    repeated = fields
    while periodic and repeated.shape[axis] < n + longest - 1:
        repeated = torch.cat([repeated, fields], dim=axis)
    product = fields
    yield product
    for voxels in range(2, longest + 1):
        positions = n if periodic else n - voxels + 1
        product = product.narrow(axis, 0, positions)
        # Once all products are zero, so are the longer ones, but their derivatives need not be.
        if product.requires_grad or bool(product.any()):
            product = product * repeated.narrow(axis, voxels - 1, positions)
        yield product


def totals(products: Iterator[Tensor]) -> Tensor:
    """Sum products over all positions: ``(sample, length)``."""
    return torch.stack([product.flatten(1).sum(1) for product in products], dim=1)


def segment_counts(field: Tensor, mask: Tensor | None, axis: int, periodic: bool, longest: int) -> Tensor:
    """Number (or, with a mask, weight) of the positions of segments of 1, 2, ..., `longest` voxels.

    Parameters
    ----------
    field : Tensor ``(sample, *space)``
        The structures.
    mask : Tensor ``(1, *space)`` or ``(sample, *space)``, optional
        Weight of each voxel; the weight of a segment is the product of those of its voxels.
    axis, periodic, longest
        As in `segment_products`.

    Returns
    -------
    Tensor ``(1, length)`` or ``(sample, length)``

    Raises
    ------
    InputError
        If the mask leaves no position for some length.
    """
    if mask is None:
        n = field.shape[axis]
        n_lines = field[0].numel() / n
        positions = [n_lines * (n if periodic else n - voxels) for voxels in range(longest)]
        return field.new_tensor([positions])
    counts = totals(segment_products(mask.to(field), axis, periodic, longest))
    empty = (counts <= 0).any(0)
    if bool(empty.any()):
        voxels = int(empty.int().argmax()) + 1
        raise InputError(
            f"Every length needs a position with weight, but in at least one sample the mask leaves none for a run of "
            f"{voxels} voxels along axis {axis - 1}. Pass a smaller cutoff, or leave that sample out."
        )
    return counts


def resolve_axes(axis: int | None, ndim: int) -> tuple[int, ...]:
    """Return the spatial axes that `axis` selects; None selects all.

    Raises
    ------
    InputError
        If there is no such axis.
    """
    if axis is None:
        return tuple(range(ndim))
    if not is_integer(axis) or not -ndim <= axis < ndim:
        raise InputError(
            f"axis must be a spatial axis, 0 to {ndim - 1}, or None for all of them, but {axis!r} was given."
        )
    return (int(axis) % ndim,)


def resolve_longest(cutoff: int | None, least: int, most: int, name: str) -> int:
    """Return the greatest length: `cutoff`, or `most` if that is None.

    Raises
    ------
    InputError
        If the cutoff does not lie between `least` and `most`; the message begins with `name`, in the plural.
    """
    longest = most if cutoff is None else cutoff
    if not is_integer(longest) or not least <= longest <= most:
        room = f"{least} to {most} voxels" if most >= least else f"no length at all, not even {least}"
        raise InputError(
            f"{name} along the chosen axes have room for {room}, but cutoff={cutoff!r} was given. "
            "Choose a cutoff in this range, or a longer axis with axis=..."
        )
    return int(longest)
