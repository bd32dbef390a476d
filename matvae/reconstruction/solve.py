"""Structures for a block of targets: phase retrieval and swaps in turns, the best structure kept."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from .labels import FREE, indicators
from .objective import Demands
from .retrieval import Retrieval
from .swaps import refine
from .target import Target

# Iterations of phase retrieval between two refinements by swaps, and rounds of these for each pair of phases.
CYCLE = 40
ROUNDS = 40
# Cycles after which a structure that is not done starts again elsewhere; sparse ones get stuck at times.
RESTART = 4


def solve(
    target: Target, start: Tensor, *, method: str, tol: float, max_iter: int, demands: Demands | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Find a structure for every target of a block.

    Parameters
    ----------
    target : Target
    start : Tensor ``(sample, *space)``
        Labels to begin with.
    method : ``"auto"``, ``"retrieval"`` or ``"swaps"``
    tol : float
        Relative error at which a structure is done.
    max_iter : int
        Most iterations of phase retrieval; of swaps for the method of that name.
    demands : Demands, optional
        What is wanted beside the target; what has no influence on phase retrieval has it on the swaps.

    Returns
    -------
    labels : Tensor ``(sample, *space)``
    error : Tensor ``(sample,)``
    n_iter : Tensor ``(sample,)``
    """
    demands = demands or Demands()
    start, held = demands.satisfied(target, start)
    if method == "swaps":
        labels = _refined(target, start, tol, max_iter, demands, held)
        return labels, _measured(target, labels, demands)[0], torch.full((len(start),), max_iter, device=start.device)
    best = start.clone()
    error, cost = _measured(target, start, demands)
    n_iter = torch.zeros(len(start), dtype=torch.long, device=start.device)
    open_ = torch.nonzero(error > tol).squeeze(1)
    if not len(open_):
        return best, error, n_iter
    going_on = demands.select(open_)
    retrieval = Retrieval(target.select(open_), start[open_], going_on.fixed)
    done = 0
    while done < max_iter:
        step = min(CYCLE, max_iter - done)
        labels, held = going_on.satisfied(retrieval.target, retrieval.run(step))
        if method == "auto":
            rounds = ROUNDS * math.comb(target.grid.phases, 2)
            labels = _refined(retrieval.target, labels, tol, rounds, going_on, held)
        done += step
        reached, price = _measured(retrieval.target, labels, going_on)
        better = price < cost[open_]
        best[open_[better]] = labels[better]
        error[open_[better]], cost[open_[better]] = reached[better], price[better]
        n_iter[open_[better]] = done
        going = torch.nonzero(error[open_] > tol).squeeze(1)
        if not len(going):
            break
        if len(going) < len(open_):
            retrieval.keep(going)
            open_, going_on = open_[going], going_on.select(going)
        if done % (RESTART * CYCLE) == 0:
            retrieval.begin(_shuffled(start[open_], seed=done))
    if method == "auto" and (demands.terms or target.known is not None):
        # Where much is wanted that phase retrieval does not know, or little is, swaps go on to help.
        best, held = demands.satisfied(target, best)
        best = _refined(target, best, tol, max_iter * math.comb(target.grid.phases, 2), demands, held)
        error = _measured(target, best, demands)[0]
    return best, error, n_iter


def _refined(target: Target, labels: Tensor, tol: float, rounds: int, demands: Demands, held: Tensor | None) -> Tensor:
    fixed = None if held is None else held != FREE
    # Squared, since swaps lower the squared error.
    loss = partial(demands.loss, target)
    return refine(labels, loss, target.grid.phases, rounds=rounds, enough=tol**2, fixed=fixed)[0]


def _shuffled(labels: Tensor, seed: int) -> Tensor:
    """Labels with their voxels in another order, the same one whatever the block they are in."""
    order = torch.randperm(labels[0].numel(), generator=torch.Generator().manual_seed(seed)).to(labels.device)
    return labels.flatten(1)[:, order].view_as(labels)


def _measured(target: Target, labels: Tensor, demands: Demands) -> tuple[Tensor, Tensor]:
    """Relative error ``(sample,)``, and by what structures are compared."""
    fields = indicators(labels, target.grid.phases)
    error = demands.errors(target, fields)
    return error, demands.cost(error, target, fields)
