"""Strategies of a search: by gradient, by predictions from latents, or black box; each gives distinct candidates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .blackbox import BlackBoxSearch
from .gradient import GradientSearch
from .measuring import check_any_measured, measure_all
from .region import Region
from .stages import DESCENDING, PREDICTING, PROPOSING, REALIZING, Stages
from .task import Task
from .windows import MeasuredWindows, OnBatch

# Random latents that are measured, or predicted, to find the range of each property and the best starting points.
N_SCREENED = 256
# The best candidates are finally polished: steps, here small ones, that improve the mean over realizations.
POLISHING_STEPS, POLISHING_RATE = 30, 0.02
# Rounds in which predictions are corrected by what realizations of the candidates show.
CORRECTIONS = 2
# Realizations of a candidate that correct its prediction; more are only needed to verify the candidates at the end.
CORRECTING_REALIZATIONS = 3
# Smallest distance between candidates, as a fraction of the region's radius.
SEPARATION = 0.1

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Effort:
    """Size of a search; see `optimize_latents`."""

    n_candidates: int
    n_realizations: int
    n_starts: int
    max_iter: int
    n_evaluations: int


@dataclass(frozen=True)
class Outcome:
    """Outcome of a search, before its candidates are verified.

    Parameters
    ----------
    method : str
    task : Task
        With its scale.
    latents : Tensor ``(candidate, component)``
    values : ndarray ``(sample, property)``
        Values of all structures that were measured.
    reasons : list of str
        Reasons for missing values.
    """

    method: str
    task: Task
    latents: Tensor
    values: np.ndarray
    reasons: list[str]


def search_by_gradient(
    search: GradientSearch,
    effort: Effort,
    windows: MeasuredWindows | None,
    rng: np.random.Generator,
    progress: Progress | None,
    stages: Stages | None = None,
) -> Outcome:
    """Screen random latents and the best training windows, descend from the best, and polish the candidates."""
    decoder, region, stages = search.decoder, search.region, stages or Stages()
    screened = region.draw(max(N_SCREENED, effort.n_starts), rng)
    if windows is not None:
        screened = torch.cat([windows.best(search.task.scaled_by(windows.values), effort.n_starts), screened])
    measured = [
        measure_all(search.task.properties.values(), decoder.structures(block), decoder.grid)
        for block in screened.split(decoder.block_size())
    ]
    values = np.concatenate([block_values for block_values, _ in measured])
    reasons = [reason for _, block_reasons in measured for reason in block_reasons]
    check_any_measured(values, reasons)
    search = GradientSearch(decoder, search.task.scaled_by(values), region)
    weights = _weights(search.task, effort.n_starts, rng)
    best = _best_starts(search, values, weights)
    total, done = effort.n_starts * effort.max_iter + effort.n_candidates * POLISHING_STEPS, 0
    stages.begin(DESCENDING, total)

    def on_step(n: int) -> None:
        nonlocal done
        done += n
        stages.step(n)
        if progress is not None:
            progress(done, total)

    z, end_values, costs = search.run(screened[best], weights, effort.max_iter, on_step=on_step)
    selected = _select(search.task, region, z, end_values, costs, effort.n_candidates)
    # The same seed in every step, so that latents differ in cost only because of themselves.
    seed = int(rng.integers(2**31))
    polished, _, _ = search.run(
        z[selected],
        weights[selected],
        POLISHING_STEPS,
        evaluate=lambda z: search.realized(z, effort.n_realizations, seed),
        rate=POLISHING_RATE,
        on_step=on_step,
    )
    return Outcome("gradient", search.task, polished, np.concatenate([values, end_values]), reasons)


def search_by_prediction(
    search: GradientSearch,
    effort: Effort,
    windows: MeasuredWindows | None,
    rng: np.random.Generator,
    progress: Progress | None,
    stages: Stages | None = None,
) -> Outcome:
    """Descend on predicted values, from the best training windows and random latents, and realize only the candidates.

    What realizations of a candidate show beyond its prediction is added to predictions near it, in a few rounds.
    """
    region, n_starts, stages = search.region, effort.n_starts, stages or Stages()
    stages.begin(PREDICTING, n_starts * effort.max_iter)
    drawn = region.draw(max(N_SCREENED, n_starts), rng)
    values = _predicted(search, drawn) if windows is None else windows.values
    search = GradientSearch(search.decoder, search.task.scaled_by(values), region)
    weights = _weights(search.task, n_starts, rng)
    starts = drawn[_best_starts(search, _predicted(search, drawn), weights)]
    if windows is not None:
        best = windows.best(search.task, (n_starts + 1) // 2)
        starts[: len(best)] = best
    z, end_values, costs = search.run(
        starts, weights, effort.max_iter, evaluate=lambda z: _predicted(search, z), on_step=stages.step
    )
    selected = _select(search.task, region, z, end_values, costs, effort.n_candidates)
    moved, weights = z[selected], weights[selected]
    measured = [] if windows is None else [windows.values]
    # Those that verify the candidates follow.
    stages.begin(REALIZING, (CORRECTIONS + 1) * len(moved))
    for number in range(CORRECTIONS):
        n_realizations = min(effort.n_realizations, CORRECTING_REALIZATIONS)
        realized = search.realized(moved, n_realizations, int(rng.integers(2**31)), stages.step)
        measured.append(realized)
        moved = _corrected(search, moved, weights, np.nan_to_num(realized - _predicted(search, moved)))
        if progress is not None:
            progress(number + 1, CORRECTIONS)
    reasons = [] if windows is None else windows.reasons
    return Outcome("prediction", search.task, moved, np.concatenate(measured), reasons)


def search_black_box(
    search: BlackBoxSearch,
    effort: Effort,
    windows: MeasuredWindows | None,
    rng: np.random.Generator,
    progress: Progress | None,
    evaluated: tuple[np.ndarray, np.ndarray] | None,
    on_batch: OnBatch | None,
    stages: Stages | None = None,
) -> Outcome:
    """Measure latents that a Gaussian process proposes, beginning with the best training windows and random ones."""
    done, stages = 0 if evaluated is None else len(evaluated[0]), stages or Stages()
    stages.begin(PROPOSING, effort.n_evaluations, done)

    def report(latents: np.ndarray, values: np.ndarray) -> None:
        nonlocal done
        done += len(latents)
        if on_batch is not None:
            on_batch(latents, values)
        stages.step(len(latents))
        if progress is not None:
            progress(done, effort.n_evaluations)

    starts = None
    if windows is not None:
        starts = windows.best(search.task.scaled_by(windows.values), search.region.points.shape[1] + 1)
    z, values, reasons = search.run(effort.n_evaluations, rng, starts=starts, evaluated=evaluated, on_batch=report)
    task = search.task.scaled_by(values)
    costs = task.cost(torch.from_numpy(values)).numpy()
    costs = np.where(np.isfinite(costs), costs, np.inf)
    selected = _select(task, search.region, z, values, costs, effort.n_candidates)
    return Outcome("black box", task, z[selected], values, reasons)


def _weights(task: Task, n_starts: int, rng: np.random.Generator) -> Tensor:
    """Weights ``(start, goal)``: with several goals, each start aims at another part of the Pareto front."""
    n_goals = len(task.goals)
    return torch.from_numpy(rng.dirichlet(np.ones(n_goals), n_starts) if n_goals > 1 else np.ones((n_starts, 1)))


def _best_starts(search: GradientSearch, values: np.ndarray, weights: Tensor) -> np.ndarray:
    """Indices ``(start,)`` of the screened latents, with values ``(sample, property)``, from which to start."""
    costs = search.costs(values[None], weights[:, None])
    if weights.shape[1] > 1:
        return costs.argmin(1)
    return np.argsort(costs[0], kind="stable")[: len(weights)]


def _predicted(search: GradientSearch, z: Tensor) -> np.ndarray:
    return search.soft(z).detach().cpu().numpy()


def _corrected(search: GradientSearch, z: Tensor, weights: Tensor, differences: np.ndarray) -> Tensor:
    """Latents improved by predictions to which the differences ``(sample, property)`` of their starts are added."""
    moved = []
    for start, weight, difference in zip(z.split(1), weights.split(1), differences, strict=True):

        def corrected(z: Tensor, difference: np.ndarray = difference) -> np.ndarray:
            return _predicted(search, z) + difference

        moved.append(search.run(start, weight, POLISHING_STEPS, evaluate=corrected)[0])
    return torch.cat(moved)


def _select(
    task: Task, region: Region, z: Tensor, values: np.ndarray, costs: np.ndarray, n_candidates: int
) -> np.ndarray:
    """Indices of the best latents that are distinct; with several goals the Pareto front comes first."""
    order = np.lexsort([costs, ~task.pareto_front(values)]) if len(task.goals) > 1 else np.argsort(costs, kind="stable")
    positions = (z / region.scale).numpy()
    min_distance = SEPARATION * region.radius
    distinct: list[int] = []
    for i in order:
        if len(distinct) < n_candidates and all(
            np.linalg.norm(positions[i] - positions[j]) > min_distance for j in distinct
        ):
            distinct.append(int(i))
    rest = [int(i) for i in order if int(i) not in distinct]
    return np.array((distinct + rest)[:n_candidates])
