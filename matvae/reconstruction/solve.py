"""Search for a block of targets: phase retrieval alternates with swaps, and the best structure is kept."""

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

# Iterations of phase retrieval between two refinements by swaps, and rounds of swaps per pair of phases.
CYCLE = 40
ROUNDS = 40
# Cycles after which an unfinished structure restarts from other labels; sparse structures sometimes get stuck.
RESTART = 4


def solve(
    target: Target, start: Tensor, *, method: str, tol: float, max_iter: int, demands: Demands | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Find a structure for every target of a block.

    Parameters
    ----------
    target : Target
    start : Tensor ``(sample, *space)``
        Initial labels.
    method : ``"auto"``, ``"retrieval"`` or ``"swaps"``
    tol : float
        Relative error at which the search for a structure stops.
    max_iter : int
        Maximum number of iterations of phase retrieval, or of rounds of swaps if the method is ``"swaps"``.
    demands : Demands, optional
        Requirements in addition to the target. Those that phase retrieval cannot include act through the swaps.

    Returns
    -------
    labels : Tensor ``(sample, *space)``
    error : Tensor ``(sample,)``
    n_iter : Tensor ``(sample,)``
    """
    demands = demands or Demands()
    start, held = demands.satisfied(target, start)
    if method == "swaps":
        labels = _swapped(target, start, tol, max_iter, demands, held)
        return (
            labels,
            _error_and_cost(target, labels, demands)[0],
            torch.full((len(start),), max_iter, device=start.device),
        )
    best = start.clone()
    error, cost = _error_and_cost(target, start, demands)
    n_iter = torch.zeros(len(start), dtype=torch.long, device=start.device)
    open_ = torch.nonzero(error > tol).squeeze(1)
    if not len(open_):
        return best, error, n_iter
    open_demands = demands.select(open_)
    retrieval = Retrieval(target.select(open_), start[open_], open_demands.fixed)
    done = 0
    while done < max_iter:
        step = min(CYCLE, max_iter - done)
        labels, held = open_demands.satisfied(retrieval.target, retrieval.run(step))
        if method == "auto":
            rounds = ROUNDS * math.comb(target.grid.phases, 2)
            labels = _swapped(retrieval.target, labels, tol, rounds, open_demands, held)
        done += step
        new_error, new_cost = _error_and_cost(retrieval.target, labels, open_demands)
        better = new_cost < cost[open_]
        best[open_[better]] = labels[better]
        error[open_[better]], cost[open_[better]] = new_error[better], new_cost[better]
        n_iter[open_[better]] = done
        unfinished = torch.nonzero(error[open_] > tol).squeeze(1)
        if not len(unfinished):
            break
        if len(unfinished) < len(open_):
            retrieval.keep(unfinished)
            open_, open_demands = open_[unfinished], open_demands.select(unfinished)
        if done % (RESTART * CYCLE) == 0:
            retrieval.begin(_shuffled(start[open_], seed=done))
    if method == "auto" and (demands.terms or target.known is not None):
        # Swaps can improve further what phase retrieval does not include, or where only some lags are prescribed.
        best, held = demands.satisfied(target, best)
        best = _swapped(target, best, tol, max_iter * math.comb(target.grid.phases, 2), demands, held)
        error = _error_and_cost(target, best, demands)[0]
    return best, error, n_iter


def _swapped(target: Target, labels: Tensor, tol: float, rounds: int, demands: Demands, held: Tensor | None) -> Tensor:
    fixed = None if held is None else held != FREE
    # Squared, since the swaps minimise the squared error.
    loss = partial(demands.loss, target)
    return refine(labels, loss, target.grid.phases, rounds=rounds, enough=tol**2, fixed=fixed)[0]


def _shuffled(labels: Tensor, seed: int) -> Tensor:
    """Return labels with their voxels permuted, in the same order for every block."""
    order = torch.randperm(labels[0].numel(), generator=torch.Generator().manual_seed(seed)).to(labels.device)
    return labels.flatten(1)[:, order].view_as(labels)


def _error_and_cost(target: Target, labels: Tensor, demands: Demands) -> tuple[Tensor, Tensor]:
    """Return the relative error ``(sample,)``, and the cost ``(sample,)`` by which structures are compared."""
    fields = indicators(labels, target.grid.phases)
    error = demands.errors(target, fields)
    return error, demands.cost(error, target, fields)
