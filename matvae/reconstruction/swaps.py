"""Refinement by swaps: exchange voxels of two phases where that reduces the error of the statistics.

The gradient of the squared error gives, to first order, the change of the error when a voxel changes its phase. Each
round exchanges the voxels of one pair of phases that promise the largest decrease. A round that increases the error of
a structure is undone, and the next round for this pair exchanges half as many. Volume fractions never change.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from .labels import indicators

# Squared error (sample,) of the statistics of indicator fields (sample, phase, *space).
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
    """Swap voxels until the error no longer decreases.

    Parameters
    ----------
    labels : Tensor ``(sample, *space)``
        Structures to start from.
    loss : callable
        Squared error ``(sample,)`` of indicator fields ``(sample, phase, *space)``, with a gradient.
    n_phases : int
    rounds : int
        Maximum number of rounds, each for one pair of phases.
    enough : float or Tensor ``(sample,)``
        Squared error at which a structure is no longer changed.
    fixed : Tensor of bool ``(*space)`` or ``(sample, *space)``, optional
        Voxels that keep their phase.
    start : float
        Fraction of the voxels that the first round may swap.

    Returns
    -------
    labels : Tensor ``(sample, *space)``
    loss : Tensor ``(sample,)``
        Squared error of the result; never larger than that of the input.
    """
    shape, n = labels.shape[1:], len(labels)
    flat = labels.flatten(1).clone()
    movable = torch.ones_like(flat, dtype=torch.bool) if fixed is None else ~fixed.expand(n, *shape).flatten(1)
    most = max(1, int(start * flat.shape[1]))
    pairs = list(itertools.combinations(range(n_phases), 2))
    sizes = torch.full((n, len(pairs)), most, device=flat.device)
    alive = torch.ones(n, len(pairs), dtype=torch.bool, device=flat.device)
    error, gradient = _loss_and_gradient(flat.view(n, *shape), loss, n_phases)
    for round_ in range(rounds):
        k = round_ % len(pairs)
        if not bool(alive.any()) or bool((error <= enough).all()):
            break
        proposed, changed = _swapped(flat, gradient, pairs[k], sizes[:, k], movable)
        new_error, new_gradient = _loss_and_gradient(proposed.view(n, *shape), loss, n_phases)
        better = (new_error < error) & (error > enough)
        flat = torch.where(better.unsqueeze(1), proposed, flat)
        gradient = torch.where(better.view(-1, 1, 1), new_gradient, gradient)
        error = torch.where(better, new_error, error)
        # A pair of phases is exhausted when not even a single swap helps, until another pair has changed.
        alive |= better.unsqueeze(1)
        alive[:, k] &= better | (sizes[:, k] > 1)
        alive[:, k] &= changed
        sizes[:, k] = torch.where(better, sizes[:, k], (sizes[:, k] // 2).clamp_min(1))
    return flat.view(n, *shape), error


def _loss_and_gradient(labels: Tensor, loss: Loss, n_phases: int) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        fields = indicators(labels, n_phases).requires_grad_()
        error = loss(fields)
        (gradient,) = torch.autograd.grad(error.sum(), fields)
    return error.detach(), gradient.flatten(2)


def _swapped(
    flat: Tensor, gradient: Tensor, pair: tuple[int, int], sizes: Tensor, movable: Tensor
) -> tuple[Tensor, Tensor]:
    """Return labels after the best swaps of a pair of phases, and whether any swap promised a decrease."""
    first, second = pair
    # First-order change of the error when a voxel of the first phase takes the second; negated for the reverse.
    change = gradient[:, second] - gradient[:, first]
    most = min(int(sizes.max()), flat.shape[1])
    leave = torch.where((flat == first) & movable, change, torch.inf).topk(most, 1, largest=False)
    enter = torch.where((flat == second) & movable, -change, torch.inf).topk(most, 1, largest=False)
    accepted = torch.arange(most, device=flat.device).unsqueeze(0) < sizes.unsqueeze(1)
    accepted &= leave.values + enter.values < 0
    swapped = flat.clone()
    swapped.scatter_(1, leave.indices, torch.where(accepted, second, flat.gather(1, leave.indices)))
    swapped.scatter_(1, enter.indices, torch.where(accepted, first, swapped.gather(1, enter.indices)))
    return swapped, accepted.any(1)
