"""Refinement by swaps: voxels of two phases change places wherever that brings the statistics closer.

The gradient of the squared error says, to first order, what a voxel gains by changing its phase. In a round of one
pair of phases the voxels of each that gain most change places, as many as the last rounds have shown to be wise; a
round that makes a structure worse is undone. Volume fractions never change.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from .labels import indicators

# Takes labels' indicator fields (sample, phase, *space) to the squared error (sample,) of their statistics.
Loss = Callable[[Tensor], Tensor]


def refine(
    labels: Tensor,
    loss: Loss,
    n_phases: int,
    *,
    rounds: int,
    enough: Tensor | float = 0.0,
    fixed: Tensor | None = None,
    start: float = 0.01,
) -> tuple[Tensor, Tensor]:
    """Swap voxels as long as it helps.

    Parameters
    ----------
    labels : Tensor ``(sample, *space)``
        Structures to start from.
    loss : callable
        Squared error ``(sample,)`` of indicator fields ``(sample, phase, *space)``, with a gradient.
    n_phases : int
    rounds : int
        At most so many rounds, each of one pair of phases.
    enough : float or Tensor ``(sample,)``
        Squared error at which a structure is left alone.
    fixed : Tensor of bool ``(*space)`` or ``(sample, *space)``, optional
        Voxels that keep their phase.
    start : float
        Share of the voxels that the first round may swap.

    Returns
    -------
    labels : Tensor ``(sample, *space)``
    loss : Tensor ``(sample,)``
        Their squared error; never more than at the start.
    """
    shape, n = labels.shape[1:], len(labels)
    flat = labels.flatten(1).clone()
    movable = torch.ones_like(flat, dtype=torch.bool) if fixed is None else ~fixed.expand(n, *shape).flatten(1)
    most = max(1, int(start * flat.shape[1]))
    pairs = list(itertools.combinations(range(n_phases), 2))
    sizes = torch.full((n, len(pairs)), most, device=flat.device)
    alive = torch.ones(n, len(pairs), dtype=torch.bool, device=flat.device)
    error, slope = _with_slope(flat.view(n, *shape), loss, n_phases)
    for turn in range(rounds):
        k = turn % len(pairs)
        if not bool(alive.any()) or bool((error <= enough).all()):
            break
        proposed, changed = _swapped(flat, slope, pairs[k], sizes[:, k], movable)
        new_error, new_slope = _with_slope(proposed.view(n, *shape), loss, n_phases)
        better = (new_error < error) & (error > enough)
        flat = torch.where(better.unsqueeze(1), proposed, flat)
        slope = torch.where(better.view(-1, 1, 1), new_slope, slope)
        error = torch.where(better, new_error, error)
        # A swap of a single pair of voxels that does not help ends it, until another pair of phases has moved.
        alive |= better.unsqueeze(1)
        alive[:, k] &= better | (sizes[:, k] > 1)
        alive[:, k] &= changed
        sizes[:, k] = torch.where(better, sizes[:, k], (sizes[:, k] // 2).clamp_min(1))
    return flat.view(n, *shape), error


def _with_slope(labels: Tensor, loss: Loss, n_phases: int) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        fields = indicators(labels, n_phases).requires_grad_()
        error = loss(fields)
        (slope,) = torch.autograd.grad(error.sum(), fields)
    return error.detach(), slope.flatten(2)


def _swapped(
    flat: Tensor, slope: Tensor, pair: tuple[int, int], sizes: Tensor, movable: Tensor
) -> tuple[Tensor, Tensor]:
    """Labels after the best swaps of a pair of phases, and whether there were any that should help."""
    first, second = pair
    # What a voxel of the first phase changes the error by when it takes the second, and the other way round.
    change = slope[:, second] - slope[:, first]
    most = min(int(sizes.max()), flat.shape[1])
    leave = torch.where((flat == first) & movable, change, torch.inf).topk(most, 1, largest=False)
    enter = torch.where((flat == second) & movable, -change, torch.inf).topk(most, 1, largest=False)
    wanted = torch.arange(most, device=flat.device).unsqueeze(0) < sizes.unsqueeze(1)
    wanted &= leave.values + enter.values < 0
    swapped = flat.clone()
    swapped.scatter_(1, leave.indices, torch.where(wanted, second, flat.gather(1, leave.indices)))
    swapped.scatter_(1, enter.indices, torch.where(wanted, first, swapped.gather(1, enter.indices)))
    return swapped, wanted.any(1)
