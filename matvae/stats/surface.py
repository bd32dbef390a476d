"""Specific surface: interface area per volume, from the slope of the autocorrelation at zero lag."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from ..grid import voxel_edges
from .dispatch import map_phases
from .form import form_of
from .lags import check_periodic
from .masks import read_mask
from .of_structures import of_structures
from .segments import resolve_axes

# Ratio of the specific surface to the slope of the isotropic autocorrelation at zero lag in 1, 2 and 3 dimensions.
ISOTROPIC = {1: 2.0, 2: math.pi, 3: 4.0}


@of_structures
def surface_area(
    X: Any,
    *,
    state_axis: int | None = None,
    phases: int | str = "auto",
    periodic: bool = True,
    mask: Any = None,
    isotropic: bool = True,
    axis: int | None = None,
    voxel_size: float | Sequence[float] | None = None,
) -> Any:
    """Specific surface of every phase: interface area per volume (in 2-D length per area, in 1-D points per length).

    Parameters
    ----------
    X, spatial_dims, state_axis, phases, periodic, mask
        As in `two_point_stats`.
    isotropic : bool
        True assumes that interfaces of all orientations are equally frequent and corrects for the staircase of voxel
        faces that approximates a smooth interface. False sums the areas of the voxel faces, which is exact for
        interfaces normal to the axes.
    axis : int, optional
        Spatial axis of the test lines: the specific surface follows from their intersections with the interface alone.
        Values that differ between axes reveal anisotropy. With ``isotropic=False``, the area of the voxel faces normal
        to this axis. None combines all axes: the mean if isotropic, otherwise the sum.
    voxel_size : float or sequence of float, optional
        Edge length of a voxel along each axis. The result is in its inverse unit. By default
        that of `Structures`, if they have one; otherwise the result is in inverse voxels.

    Returns
    -------
    array ``(sample, phase)``
        Same kind as X, differentiable in torch.

    Raises
    ------
    InputError
        As in `two_point_stats`, if a window is a single voxel thick along an axis, or for an axis that does not exist.

    Notes
    -----
    Debye, Anderson & Brumberger, Journal of Applied Physics 28, 679 (1957); Berryman & Blair, Journal of Applied
    Physics 60, 1930 (1986): for small r the autocorrelation, averaged over directions, is ``S2(r) = S2(0) - s r / 4``
    in 3-D, with pi in place of 4 in 2-D and 2 in 1-D. The slope along an axis is ``(S2(0) - S2(1)) / voxel size``, half
    the mean squared difference of neighbours. Its average over the axes gives the surface of a sphere or disc up to
    discretisation error. For a flat interface with unit normal n it gives the fraction ``2/3 (|n_x| + |n_y| + |n_z|)``
    in 3-D, 0.67 to 1.15, and ``pi/4 (|n_x| + |n_y|)`` in 2-D, 0.79 to 1.11. Voxel faces give ``|n_x| + |n_y| + |n_z|``
    instead: 1 along the axes, 1.5 for a sphere, 4/pi for a disc.
    """
    form = form_of(X, phases, state_axis)
    check_periodic(periodic)
    edges = voxel_edges(voxel_size, len(form.space)) or (1.0,) * len(form.space)
    if not periodic and min(form.space[i] for i in resolve_axes(axis, len(edges))) < 2:
        raise InputError(
            f"Neighbours along every axis are needed, but a window of shape {form.space} was given. "
            "Remove the axis of a single voxel: X.squeeze(...)."
        )
    weights = read_mask(mask, X, form.space)
    axes = resolve_axes(axis, len(edges))
    factor = ISOTROPIC[len(edges)] / len(axes) if isotropic else 2.0

    def area(field: Tensor, mask: Tensor | None) -> Tensor:
        slopes = [_slope(field, mask, i + 1, periodic) / edges[i] for i in axes]
        return factor * torch.stack(slopes).sum(0)

    return map_phases(X, form, phases, area, (), weights)


def _slope(field: Tensor, mask: Tensor | None, axis: int, periodic: bool) -> Tensor:
    """Decrease of the autocorrelation from zero lag to lag 1 along an axis ``(sample,)``."""
    n = field.shape[axis]
    positions = n if periodic else n - 1
    difference = (field.roll(-1, axis) - field).square().narrow(axis, 0, positions).flatten(1)
    if mask is None:
        return difference.mean(1) / 2
    values = mask.to(field)
    pairs = (values.roll(-1, axis) * values).narrow(axis, 0, positions).flatten(1)
    counts = pairs.sum(1)
    if not bool((counts > 0).all()):
        raise InputError(
            "Neighbours with weight along every axis are needed, but in at least one sample the mask leaves none along "
            f"axis {axis - 1}. Leave that sample out."
        )
    return (difference * pairs).sum(1) / counts / 2
