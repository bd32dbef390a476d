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

Step = tuple[int, ...]


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
    Matheron, Economic Geology 58, 1246 (1963). For labels it is half the fraction of voxel pairs of which exactly one
    has the phase. In a periodic structure it is the decrease of the autocorrelation from lag zero, S2(0) - S2(r). In a
    window both voxels of a pair lie within it, so that phases at the border do not matter. Along the axes it
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
        half = _half_mean_squares(field, None if mask is None else mask.to(field), first_half, periodic)
        return torch.cat([half, torch.zeros_like(half[:, :1]), half.flip(1)], dim=1).unflatten(1, lags)

    return map_phases(X, form, phases, values, lags, weights)


def _half_mean_squares(field: Tensor, mask: Tensor | None, steps: Sequence[Step], periodic: bool) -> Tensor:
    """Half the mean squared differences ``(sample, step)`` of voxels some steps apart."""
    means: Tensor = _HalfMeanSquares.apply(field, mask, steps, periodic)
    return means


class _HalfMeanSquares(torch.autograd.Function):
    """With an analytical gradient: that of slices would fill an array of zeros for every step."""

    @staticmethod
    def forward(ctx: Any, field: Tensor, mask: Tensor | None, steps: Sequence[Step], periodic: bool) -> Tensor:
        ctx.save_for_backward(field, mask)
        ctx.steps, ctx.periodic = steps, periodic
        means = []
        for step in steps:
            start, end = _ends(field, step, periodic)
            squares = (end - start).square_()
            weights, total = _pair_weights(mask, step, periodic, squares)
            squares = squares if weights is None else squares.mul_(weights)
            means.append(squares.flatten(1).sum(1) / total / 2)
        return torch.stack(means, dim=1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        field, mask = ctx.saved_tensors
        result = torch.zeros_like(field)
        for step, factor in zip(ctx.steps, gradient.unbind(1), strict=True):
            start, end = _ends(field, step, ctx.periodic)
            change = end - start
            weights, total = _pair_weights(mask, step, ctx.periodic, change)
            change = change * (factor / total).view(-1, *[1] * (field.ndim - 1))
            change = change if weights is None else change * weights
            if ctx.periodic:
                result = result + change.roll(tuple(step), tuple(range(1, field.ndim))) - change
            else:
                # Views are taken anew: one taken before an addition in place has no gradient.
                _ends(result, step, False)[1].add_(change)
                _ends(result, step, False)[0].sub_(change)
        return result, None, None, None


def _pair_weights(
    mask: Tensor | None, step: Step, periodic: bool, values: Tensor
) -> tuple[Tensor | None, Tensor | int]:
    """Weight of every voxel pair a step apart, or None where it is one, and their sum."""
    if mask is None:
        return None, values[0].numel()
    start, end = _ends(mask, step, periodic)
    weights = start * end
    total = weights.flatten(1).sum(1)
    if not bool((total > 0).all()):
        raise InputError(
            "The variogram needs a pair of voxels with weight at every lag, but in at least one sample the mask leaves "
            f"none at lag {step}. Leave that sample out."
        )
    return weights, total


def _ends(values: Tensor, step: Step, periodic: bool) -> tuple[Tensor, Tensor]:
    """Values ``(sample, *space)`` of the two voxels of all pairs a step apart."""
    if periodic:
        return values, values.roll([-r for r in step], tuple(range(1, values.ndim)))
    start, end = values, values
    for axis, r in enumerate(step, start=1):
        n = values.shape[axis] - abs(r)
        start = start.narrow(axis, max(0, -r), n)
        end = end.narrow(axis, max(0, r), n)
    return start, end
