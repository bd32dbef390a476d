"""Specific surface: interface area per volume, from how fast 2-point statistics fall at zero lag."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from .dispatch import form_of, map_phases, voxel_sizes
from .lags import check_periodic
from .masks import read_mask

# Interface per slope of the autocorrelation at zero lag, averaged over all directions, in 1, 2 and 3 dimensions.
ISOTROPIC = {1: 2.0, 2: math.pi, 3: 4.0}


def surface_area(
    X: Any,
    *,
    state_axis: int | None = None,
    phases: int | str = "auto",
    periodic: bool = True,
    mask: Any = None,
    isotropic: bool = True,
    voxel_size: float | Sequence[float] | None = None,
) -> Any:
    """Specific surface of every phase: interface area per volume (in 2-D length per area, in 1-D points per length).

    Parameters
    ----------
    X, state_axis, phases, periodic, mask
        As in `two_point_stats`.
    isotropic : bool
        True takes interfaces to lie in all directions alike: smooth ones are then measured without the staircase
        of the voxels. False adds up voxel faces, which is right for interfaces along the axes.
    voxel_size : float or sequence of float, optional
        Edge of a voxel along each axis; the result is per its unit, else per voxel.

    Returns
    -------
    array ``(sample, phase)``
        Same kind as X, differentiable in torch.

    Raises
    ------
    InputError
        As in `two_point_stats`, or for a window of a single voxel along an axis.

    Notes
    -----
    Debye, Anderson & Brumberger, Journal of Applied Physics 28, 679 (1957); Berryman & Blair, Journal of Applied
    Physics 60, 1930 (1986): the autocorrelation, averaged over directions, begins as ``S2(r) = S2(0) - s r / 4`` in
    3-D, with pi for 4 in 2-D and 2 in 1-D. The slope along an axis is ``(S2(0) - S2(1)) / voxel size``, which is half
    the mean square of the difference of neighbours. Averaged over the axes it gives a sphere's or disc's surface but
    for the noise of the voxels, and of a flat interface with the unit normal n the fraction ``2/3 (|n_x| + |n_y| +
    |n_z|)`` in 3-D, 0.67 to 1.15, and ``pi/4 (|n_x| + |n_y|)`` in 2-D, 0.79 to 1.11. Voxel faces give ``|n_x| + |n_y| +
    |n_z|`` instead: 1 along the axes, 1.5 for a sphere, 4/pi for a disc.
    """
    form = form_of(X, phases, state_axis)
    check_periodic(periodic)
    sizes = voxel_sizes(voxel_size, form.space)
    if not periodic and min(form.space) < 2:
        raise InputError(
            f"Neighbours along every axis are needed, but a window of shape {form.space} was given. Leave out the axis "
            "of a single voxel: X.squeeze(...)."
        )
    weights = read_mask(mask, X, form.space)
    ndim = len(sizes)
    factor = ISOTROPIC[ndim] / ndim if isotropic else 2.0

    def area(field: Tensor, mask: Tensor | None) -> Tensor:
        slopes = [_slope(field, mask, axis, periodic) / size for axis, size in enumerate(sizes, start=1)]
        return factor * torch.stack(slopes).sum(0)

    return map_phases(X, form, phases, area, (), weights)


def _slope(field: Tensor, mask: Tensor | None, axis: int, periodic: bool) -> Tensor:
    """Fall of the autocorrelation from zero lag to the next voxel along an axis ``(sample,)``."""
    n = field.shape[axis]
    places = n if periodic else n - 1
    difference = (field.roll(-1, axis) - field).square().narrow(axis, 0, places).flatten(1)
    if mask is None:
        return difference.mean(1) / 2
    values = mask.to(field)
    pairs = (values.roll(-1, axis) * values).narrow(axis, 0, places).flatten(1)
    counts = pairs.sum(1)
    if not bool((counts > 0).all()):
        raise InputError(
            f"Neighbours with weight along every axis are needed, but the mask leaves none along axis {axis - 1} in at "
            "least one sample. Leave that sample out."
        )
    return (difference * pairs).sum(1) / counts / 2
