"""Variogram of every phase: how often voxels at a short lag differ, which tells how interfaces run."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from .dispatch import map_phases
from .form import form_of
from .lags import Cutoff, check_periodic, lag_shape
from .masks import read_mask
from .of_structures import of_structures


@of_structures
def variogram(
    X: Any,
    *,
    state_axis: int | None = None,
    phases: int | str = "auto",
    periodic: bool = True,
    cutoff: Cutoff = 1,
    mask: Any = None,
) -> Any:
    """Variogram ``g(r) = <(m[x + r] - m[x])^2> / 2`` of every phase at short lags.

    Parameters
    ----------
    X, spatial_dims, state_axis, phases, periodic, mask
        As in `two_point_stats`.
    cutoff : int or sequence of int
        Largest lag along each axis, in voxels: by default a voxel and its neighbours, diagonal ones included. The time
        grows with the number of lags.

    Returns
    -------
    array ``(sample, *lag, phase)``
        Zero lag, where it vanishes, at index c. Same kind as X, differentiable in torch.

    Raises
    ------
    InputError
        As in `two_point_stats`, or if the mask leaves no voxel pair at some lag.

    Notes
    -----
    Matheron, Economic Geology 58, 1246 (1963). For labels it is half the share of voxel pairs of which exactly one has
    the phase. In a periodic structure it is the decrease of the autocorrelation from lag zero, S2(0) - S2(r); in a
    window both voxels of a pair are counted within it, so that phases at the border do not matter. Along the axes it
    gives the specific surface (`surface_area`); along diagonals it differs between smooth interfaces and those that
    follow the voxel faces: at a flat interface with unit normal n it is proportional to ``|r . n|``.
    """
    form = form_of(X, phases, state_axis)
    check_periodic(periodic)
    lags = lag_shape(form.space, periodic, cutoff)
    if cutoff is None or any(n % 2 == 0 for n in lags):
        raise InputError("The variogram needs a cutoff, such as cutoff=1, but none was given.")
    weights = read_mask(mask, X, form.space)
    # The second half of the lags repeats the first one with the opposite sign.
    steps = list(itertools.product(*(range(-(n // 2), n // 2 + 1) for n in lags)))
    first_half = steps[: len(steps) // 2]

    def values(field: Tensor, mask: Tensor | None) -> Tensor:
        half = torch.stack([_half_mean_square(field, mask, step, periodic) for step in first_half], dim=1)
        return torch.cat([half, torch.zeros_like(half[:, :1]), half.flip(1)], dim=1).unflatten(1, lags)

    return map_phases(X, form, phases, values, lags, weights)


def _half_mean_square(field: Tensor, mask: Tensor | None, step: Sequence[int], periodic: bool) -> Tensor:
    """Half the mean squared difference ``(sample,)`` of voxels a step apart."""
    start, end = _ends(field, step, periodic)
    squares = (end - start).square().flatten(1)
    if mask is None:
        return squares.mean(1) / 2
    start, end = _ends(mask.to(field), step, periodic)
    pairs = (start * end).flatten(1)
    counts = pairs.sum(1)
    if not bool((counts > 0).all()):
        raise InputError(
            "The variogram needs a pair of voxels with weight at every lag, but in at least one sample the mask leaves "
            f"none at lag {tuple(step)}. Leave that sample out."
        )
    return (squares * pairs).sum(1) / counts / 2


def _ends(values: Tensor, step: Sequence[int], periodic: bool) -> tuple[Tensor, Tensor]:
    """Values ``(sample, *space)`` of the two voxels of all pairs a step apart."""
    if periodic:
        return values, values.roll([-r for r in step], tuple(range(1, values.ndim)))
    start, end = values, values
    for axis, r in enumerate(step, start=1):
        n = values.shape[axis] - abs(r)
        start = start.narrow(axis, max(0, -r), n)
        end = end.narrow(axis, max(0, r), n)
    return start, end
