"""Swaps of simple voxels: they reduce the error of the statistics and keep the topology.

As in `swaps`, each round exchanges the voxels of two phases that promise the largest decrease, but only simple voxels
(`simple_voxels`) of which no two are neighbours, so that all of a round may change at once. A random half of the voxels
takes part in each round: where the best swap fails, another one is tried.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from .labels import indicators
from .simple_voxels import highest_nearby, simple

# Factors by which later rounds swap more or fewer voxels than the first.
GROWTH, DECLINE = 1.3, 0.5
# Pairs of phases for which the number of rounds is granted; if there are more, they share these rounds.
MOST_PAIRS = 3
# Rounds in which a single swap fails in succession, after which two phases are left as they are.
FAILURES = 6


def refine_simple(
    labels: Tensor,
    loss: Callable[[Tensor], Tensor],
    n_phases: int,
    *,
    periodic: bool,
    rounds: int,
    fixed: Tensor | None = None,
    first_share: float = 0.003,
) -> Tensor:
    """Swap simple voxels until the loss no longer decreases.

    Parameters
    ----------
    labels : Tensor ``(sample, *space)``
        Structures to start from.
    loss : callable
        Takes indicator fields ``(sample, phase, *space)`` to what is minimised ``(sample,)``, with a gradient.
    n_phases : int
    periodic : bool
        Whether a structure continues on its opposite side.
    rounds : int
        Maximum number of rounds per pair of phases.
    fixed : Tensor of bool ``(sample, *space)``, optional
        Voxels that keep their phase.
    first_share : float
        Part of the voxels that the first round may swap.

    Returns
    -------
    Tensor ``(sample, *space)``
        Of no larger loss, with as many voxels of each phase.
    """
    pairs = list(itertools.combinations(range(n_phases), 2))
    n = len(labels)
    sizes = torch.full((n, len(pairs)), max(1.0, first_share * labels[0].numel()), device=labels.device)
    failures = torch.zeros(n, len(pairs), device=labels.device)
    generator = torch.Generator().manual_seed(0)
    value, gradient = _value_and_gradient(labels, loss, n_phases)
    # Decrease of the loss per swap that the gradient promises in excess of what the last round found.
    excess = torch.zeros(n, len(pairs), device=labels.device)
    for round_ in range(rounds * min(len(pairs), MOST_PAIRS)):
        if bool((failures >= FAILURES).all()):
            break
        k = round_ % len(pairs)
        first, second = pairs[k]
        half = torch.rand(labels.shape[1:], generator=generator).to(labels.device) < 0.5
        allowed = simple(labels, pairs[k], periodic) & half
        if fixed is not None:
            allowed &= ~fixed
        change = gradient[:, second] - gradient[:, first]
        proposed, swapped, promised = _swapped(
            labels, change, pairs[k], sizes[:, k].long(), excess[:, k], allowed, periodic
        )
        new_value, new_gradient = _value_and_gradient(proposed, loss, n_phases)
        excess[:, k] = (promised - (value - new_value)) / swapped.clamp_min(1)
        better = new_value < value
        value = torch.where(better, new_value, value)
        labels = torch.where(better.view(-1, *[1] * (labels.ndim - 1)), proposed, labels)
        gradient = torch.where(better.view(-1, *[1] * (gradient.ndim - 1)), new_gradient, gradient)
        fewer = torch.minimum(sizes[:, k], swapped.to(sizes)) * DECLINE
        sizes[:, k] = torch.where(better, sizes[:, k] * GROWTH, fewer).clamp_min(1)
        failures[:, k] = torch.where(better, 0, failures[:, k] + (swapped <= 1))
    return labels


def _value_and_gradient(labels: Tensor, loss: Callable[[Tensor], Tensor], n_phases: int) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        fields = indicators(labels, n_phases).requires_grad_()
        value = loss(fields)
        (gradient,) = torch.autograd.grad(value.sum(), fields)
    return value.detach(), gradient


def _swapped(
    labels: Tensor,
    change: Tensor,
    pair: tuple[int, int],
    sizes: Tensor,
    excess: Tensor,
    allowed: Tensor,
    periodic: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return labels after the best swaps of a pair of phases, their number and the promised decrease ``(sample,)``.

    `change` is that of the loss, to first order, when a voxel of the first phase takes the second. The best swap is
    always made; the others if they promise more than `excess`.
    """
    first, second = pair
    # As many voxels leave a phase as enter it, so the changes count only relative to each other.
    middle = torch.where(allowed, change, torch.nan).flatten(1).nanmedian(1).values.nan_to_num()
    gain = (change - middle.view(-1, *[1] * (change.ndim - 1))) * torch.where(labels == first, -1.0, 1.0)
    chosen = highest_nearby(torch.where(allowed, gain, -torch.inf), periodic).flatten(1)
    flat, gain = labels.flatten(1), gain.flatten(1)
    most = min(int(sizes.max()), flat.shape[1])
    leave = torch.where(chosen & (flat == first), gain, -torch.inf).topk(most, 1)
    enter = torch.where(chosen & (flat == second), gain, -torch.inf).topk(most, 1)
    accepted = torch.arange(most, device=flat.device) < sizes.unsqueeze(1)
    promised = leave.values + enter.values
    accepted &= (promised > excess.unsqueeze(1)) | (torch.isfinite(promised) & (accepted.cumsum(1) == 1))
    swapped = flat.scatter(1, leave.indices, torch.where(accepted, second, flat.gather(1, leave.indices)))
    swapped = swapped.scatter(1, enter.indices, torch.where(accepted, first, swapped.gather(1, enter.indices)))
    return swapped.view_as(labels), accepted.sum(1), torch.where(accepted, promised, 0).sum(1)
