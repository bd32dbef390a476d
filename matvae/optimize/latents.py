"""Inverse design: search for latents whose decoded structures have requested properties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import validate
from ..estimator.batches import seed_from
from ..estimator.realizations import check_phases_realized
from ..estimator.samples import check_fitted
from .blackbox import BlackBoxSearch, OnBatch
from .goal import Constraint, Goal, parse_constraint
from .gradient import GradientSearch
from .linkage import Linkage
from .measuring import LatentDecoder, check_any_measured, mean_and_std, measure_all
from .property import unit_on
from .region import Region
from .result import Candidates, explain_misses
from .task import Task

# Random latents that are measured to find the range of each property and the best starting points.
N_SCREENED = 256
# The best candidates are finally polished: small steps that improve the mean over realizations.
POLISHING_STEPS, POLISHING_RATE = 30, 0.02
# Smallest distance between candidates, as a fraction of the region's radius.
SEPARATION = 0.1


@dataclass(frozen=True)
class Outcome:
    """Outcome of a search, before its candidates are verified.

    Parameters
    ----------
    task : Task
        With its scale.
    latents : Tensor ``(candidate, component)``
    values : ndarray ``(sample, property)``
        Values of all structures that were measured.
    reasons : list of str
        Reasons for missing values.
    """

    task: Task
    latents: Tensor
    values: np.ndarray
    reasons: list[str]


def optimize_latents(
    model: Any,
    objective: Goal | Sequence[Goal],
    *,
    constraints: Sequence[Constraint | str] = (),
    n_candidates: int = 10,
    latents: Any = None,
    n_realizations: int = 8,
    n_starts: int | None = None,
    max_iter: int = 150,
    n_evaluations: int = 60,
    random_state: Any = None,
    evaluated: tuple[np.ndarray, np.ndarray] | None = None,
    on_batch: OnBatch | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Candidates:
    """Find latents whose decoded structures have requested properties.

    If every property is differentiable, the search follows its gradient through the decoder from many starting points
    at once. Otherwise a Gaussian process of the values measured so far proposes where to measure next (BoTorch, extra
    ``optimize``). Properties are measured on thresholded structures, and reported as means over realizations that the
    search did not use.

    Parameters
    ----------
    model : StatsVAETransformer
        Fitted on structures of two or more phases.
    objective : Goal or sequence of Goal
        From `maximize`, `minimize` and `reach`. With several goals the candidates lie along the Pareto front.
    constraints : sequence of Constraint or str
        From `between`, or text such as ``"volume_fraction=0.30+-0.01"``.
    n_candidates : int
    latents : array ``(sample, component)``, optional
        ``model.transform(X)`` of the training structures, to search near them. By default the search is confined to
        the prior.
    n_realizations : int
        Number of realizations per candidate over which properties are averaged, at least 2.
    n_starts : int, optional
        Number of starting points of the gradient search; by default four per candidate, and at least 32.
    max_iter : int
        Number of gradient steps from each starting point.
    n_evaluations : int
        Number of latents that the gradient-free search measures.
    random_state : int, RandomState or None
    evaluated : (latents, values), optional
        All that `on_batch` received in an earlier gradient-free search, to continue it.
    on_batch : callable, optional
        Called with latents ``(k, component)`` and values ``(k, property)`` as soon as they are measured.
    progress : callable, optional
        Called with the amount of work done and the total.

    Returns
    -------
    Candidates
        Best first.

    Raises
    ------
    InputError
        If goals and constraints contradict each other, a parameter is invalid, or no structure has the properties.
    MissingExtraError
        If a property has no gradient and BoTorch is not installed.
    """
    check_fitted(model)
    check_phases_realized(model.grid_, "optimize_latents")
    validate.integer("n_candidates", n_candidates, 1)
    validate.integer("n_realizations", n_realizations, 2)
    validate.integer("max_iter", max_iter, 1)
    validate.integer("n_evaluations", n_evaluations, n_candidates)
    if n_starts is None:
        n_starts = max(32, 4 * n_candidates)
    validate.integer("n_starts", n_starts, n_candidates)
    goals = [objective] if isinstance(objective, Goal) else list(objective)
    task = Task.of(goals, [parse_constraint(item) if isinstance(item, str) else item for item in constraints])
    n_components = model.module_.spec.n_components
    seed = seed_from(random_state)
    region = Region.of_prior(n_components) if latents is None else Region.of_data(latents, n_components, seed)
    decoder, rng = LatentDecoder(model), np.random.default_rng(seed)
    if _has_gradient(task):
        search = GradientSearch(decoder, task, region)
        outcome = _search_by_gradient(search, n_candidates, n_starts, max_iter, n_realizations, rng, progress)
    else:
        black_box = BlackBoxSearch(decoder, task, region)
        outcome = _search_black_box(black_box, n_candidates, n_evaluations, rng, evaluated, on_batch, progress)
    return _verify(outcome, decoder, region, n_realizations, rng)


def _has_gradient(task: Task) -> bool:
    return all(property.differentiable for property in task.properties.values())


def _search_by_gradient(
    search: GradientSearch,
    n_candidates: int,
    n_starts: int,
    max_iter: int,
    n_realizations: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None,
) -> Outcome:
    """Screen random latents, descend from the best, and polish the candidates."""
    decoder, region = search.decoder, search.region
    screened = region.draw(max(N_SCREENED, n_starts), rng)
    measured = [
        measure_all(search.task.properties.values(), decoder.structures(block), decoder.grid)
        for block in screened.split(decoder.block_size())
    ]
    values = np.concatenate([block_values for block_values, _ in measured])
    reasons = [reason for _, block_reasons in measured for reason in block_reasons]
    check_any_measured(values, reasons)
    search = GradientSearch(decoder, search.task.scaled_by(values), region)
    n_goals = len(search.task.goals)
    weights = torch.from_numpy(rng.dirichlet(np.ones(n_goals), n_starts) if n_goals > 1 else np.ones((n_starts, 1)))
    costs = search.costs(values[None], weights[:, None])
    best = costs.argmin(1) if n_goals > 1 else np.argsort(costs[0], kind="stable")[:n_starts]
    total, done = n_starts * max_iter + n_candidates * POLISHING_STEPS, 0

    def on_step(n: int) -> None:
        nonlocal done
        done += n
        if progress is not None:
            progress(done, total)

    z, end_values, costs = search.run(screened[best], weights, max_iter, on_step=on_step)
    selected = _select(search.task, region, z, end_values, costs, n_candidates)
    # The same seed in every step, so that latents differ in cost only because of themselves.
    seed = int(rng.integers(2**31))
    polished, _, _ = search.run(
        z[selected],
        weights[selected],
        POLISHING_STEPS,
        evaluate=lambda z: search.realized(z, n_realizations, seed),
        rate=POLISHING_RATE,
        on_step=on_step,
    )
    return Outcome(search.task, polished, np.concatenate([values, end_values]), reasons)


def _search_black_box(
    search: BlackBoxSearch,
    n_candidates: int,
    n_evaluations: int,
    rng: np.random.Generator,
    evaluated: tuple[np.ndarray, np.ndarray] | None,
    on_batch: OnBatch | None,
    progress: Callable[[int, int], None] | None,
) -> Outcome:
    done = 0 if evaluated is None else len(evaluated[0])

    def report(latents: np.ndarray, values: np.ndarray) -> None:
        nonlocal done
        done += len(latents)
        if on_batch is not None:
            on_batch(latents, values)
        if progress is not None:
            progress(done, n_evaluations)

    z, values, reasons = search.run(n_evaluations, rng, evaluated=evaluated, on_batch=report)
    task = search.task.scaled_by(values)
    costs = task.cost(torch.from_numpy(values)).numpy()
    costs = np.where(np.isfinite(costs), costs, np.inf)
    selected = _select(task, search.region, z, values, costs, n_candidates)
    return Outcome(task, z[selected], values, reasons)


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


def _verify(
    outcome: Outcome, decoder: LatentDecoder, region: Region, n_realizations: int, rng: np.random.Generator
) -> Candidates:
    """Measure candidates on realizations that the search did not use, and sort them."""
    task, z = outcome.task, outcome.latents
    realizations = decoder.realizations(z, n_realizations, int(rng.integers(2**31)))
    mean, std, fraction, reasons = mean_and_std(task.properties.values(), realizations, decoder.grid)
    costs = task.cost(torch.from_numpy(mean)).numpy()
    order = np.lexsort([np.where(np.isfinite(costs), costs, np.inf), ~task.feasible(mean)])
    z, mean, std, fraction = z[order.tolist()], mean[order], std[order], fraction[order]
    structures = realizations[order].reshape(-1, *decoder.grid.shape)
    predictive_spread: dict[str, np.ndarray] = {}
    for label, property in task.properties.items():
        predicted = property.predictive_std(structures, decoder.grid) if isinstance(property, Linkage) else None
        if predicted is not None:
            predictive_spread[label] = predicted.reshape(len(z), n_realizations).mean(1)
    all_values = np.concatenate([outcome.values, mean])
    targets = {goal.label: goal.target for goal in task.goals}
    labels = task.labels
    return Candidates(
        latents=z.numpy(),
        structures=decoder.structures(z),
        requested={label: targets.get(label) for label in labels},
        achieved=dict(zip(labels, mean.T, strict=True)),
        spread=dict(zip(labels, std.T, strict=True)),
        measured=dict(zip(labels, fraction.T, strict=True)),
        units={label: unit_on(property, decoder.grid) for label, property in task.properties.items()},
        feasible=task.feasible(mean),
        on_front=task.pareto_front(mean),
        score=region.score(z).numpy(),
        region=region.describe(),
        reachable={
            label: (float(np.nanmin(column)), float(np.nanmax(column)))
            for label, column in zip(labels, all_values.T, strict=True)
        },
        reasons=explain_misses(task, mean, all_values, region),
        failures=dict(Counter(outcome.reasons + reasons)),
        method="gradient" if _has_gradient(task) else "black box",
        n_evaluations=len(outcome.values),
        predictive_spread=predictive_spread,
    )
