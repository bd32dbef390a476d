"""`optimize_latents`: latents, and structures, that have wanted properties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..estimator.batches import seed_from
from ..estimator.checks import check_fitted
from ..estimator.realizations import check_phases_realized
from .blackbox import BlackBoxSearch, OnBatch
from .goal import Constraint, Goal, parse_constraint
from .gradient import GradientSearch
from .linkage import Linkage
from .measuring import Decoder, mean_and_spread, measure_all
from .property import unit_on
from .region import Region
from .result import Candidates, why_not
from .task import Task

# Random latents that tell the range of a property and the best places to start from.
SCREENED = 256
# At the end the mean over realizations is what is improved, by small steps.
POLISHING_STEPS, POLISHING_RATE = 30, 0.02


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
    """Latents whose decoded structures have wanted properties.

    Where every property is differentiable, its gradient through the decoder leads there from many starts at once; else
    a Gaussian process of what was measured proposes where to measure next (BoTorch, extra ``optimize``). What counts
    are thresholded structures, and at the end the mean over realizations that the search has not seen.

    Parameters
    ----------
    model : StatsVAETransformer
        Fitted on structures of two or more phases.
    objective : Goal or sequence of Goal
        From `maximize`, `minimize` and `reach`; of several goals the candidates lie along the Pareto front.
    constraints : sequence of Constraint or str
        From `between`, or texts such as ``"volume_fraction=0.30+-0.01"``.
    n_candidates : int
    latents : array ``(sample, component)``, optional
        ``model.transform(X)`` of the training structures. The search then stays where the data are, otherwise within
        the prior.
    n_realizations : int
        Structures of a candidate over which properties are averaged; two or more.
    n_starts : int, optional
        Of the gradient search; by default four a candidate, 32 or more.
    max_iter : int
        Steps of each start.
    n_evaluations : int
        Latents that the search without gradients measures.
    random_state : int, RandomState or None
    evaluated : (latents, values), optional
        Of an earlier search without gradients, to go on with: what `on_batch` was given.
    on_batch : callable, optional
        Called with latents ``(k, component)`` and values ``(k, property)`` as soon as they are measured.
    progress : callable, optional
        Called with the work done and all there is.

    Returns
    -------
    Candidates
        Best first.

    Raises
    ------
    InputError
        If goals and constraints contradict each other, a parameter makes no sense, or no structure has the property.
    MissingExtraError
        If a property has no gradient and BoTorch is not installed.
    """
    check_fitted(model)
    check_phases_realized(model.grid_, "optimize_latents")
    for name, number, least in (
        ("n_candidates", n_candidates, 1),
        ("n_realizations", n_realizations, 2),
        ("n_starts", n_candidates if n_starts is None else n_starts, n_candidates),
        ("max_iter", max_iter, 1),
        ("n_evaluations", n_evaluations, n_candidates),
    ):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
            raise InputError(f"{name} must be an integer of at least {least}, but {number!r} was given.")
    goals = [objective] if isinstance(objective, Goal) else list(objective)
    task = Task.of(goals, [parse_constraint(one) if isinstance(one, str) else one for one in constraints])
    n_components = model.module_.spec.n_components
    seed = seed_from(random_state)
    region = Region.of_prior(n_components) if latents is None else Region.of_data(latents, n_components, seed)
    decoder, rng = Decoder(model), np.random.default_rng(seed)
    if all(one.differentiable for one in task.properties.values()):
        found = _by_gradient(
            GradientSearch(decoder, task, region),
            n_candidates,
            n_starts or max(32, 4 * n_candidates),
            max_iter,
            n_realizations,
            rng,
            progress,
        )
    else:
        found = _as_black_box(
            BlackBoxSearch(decoder, task, region), n_candidates, n_evaluations, rng, evaluated, on_batch, progress
        )
    return _verified(decoder, region, *found, n_realizations, rng)


def _by_gradient(
    search: GradientSearch,
    n_candidates: int,
    n_starts: int,
    max_iter: int,
    n_realizations: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None,
) -> tuple[Task, Tensor, np.ndarray, list[str]]:
    """Scaled task, latents ``(candidate, component)``, all values seen, and reasons of missing ones."""
    decoder, region, properties = search.decoder, search.region, list(search.task.properties.values())
    screened = region.draw(max(SCREENED, n_starts), rng)
    parts = [
        measure_all(properties, decoder.structures(part), decoder.grid) for part in screened.split(decoder.at_once())
    ]
    values, reasons = np.concatenate([part[0] for part in parts]), [why for part in parts for why in part[1]]
    if not np.isfinite(values).all(1).any():
        raise InputError(
            f"None of {len(values)} structures of the region has all properties ({'; '.join(sorted(set(reasons)))}). "
            "Choose another property, or a model of structures that have it."
        )
    search = GradientSearch(decoder, search.task.scaled_by(values), region)
    n_goals = len(search.task.goals)
    weights = torch.from_numpy(rng.dirichlet(np.ones(n_goals), n_starts) if n_goals > 1 else np.ones((n_starts, 1)))
    costs = search.costs(values[None], weights[:, None])
    best = costs.argmin(1) if n_goals > 1 else np.argsort(costs[0], kind="stable")[:n_starts]
    starts = screened[best]
    total, done = n_starts * max_iter + n_candidates * POLISHING_STEPS, 0

    def on_step(n: int) -> None:
        nonlocal done
        done += n
        if progress is not None:
            progress(done, total)

    z, found, costs = search.run(starts, weights, max_iter, on_step=on_step)
    chosen = _chosen(search.task, region, z, found, costs, n_candidates)
    # One seed for all steps: a difference between two latents is then theirs alone.
    seed = int(rng.integers(2**31))
    polished, _, _ = search.run(
        z[chosen],
        weights[chosen],
        POLISHING_STEPS,
        value=lambda z: search.realized(z, n_realizations, seed),
        rate=POLISHING_RATE,
        on_step=on_step,
    )
    return search.task, polished, np.concatenate([values, found]), reasons


def _as_black_box(
    search: BlackBoxSearch,
    n_candidates: int,
    n_evaluations: int,
    rng: np.random.Generator,
    evaluated: tuple[np.ndarray, np.ndarray] | None,
    on_batch: OnBatch | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[Task, Tensor, np.ndarray, list[str]]:
    done = 0 if evaluated is None else len(evaluated[0])

    def after(latents: np.ndarray, values: np.ndarray) -> None:
        nonlocal done
        done += len(latents)
        if on_batch is not None:
            on_batch(latents, values)
        if progress is not None:
            progress(done, n_evaluations)

    z, values, reasons = search.run(n_evaluations, rng, evaluated=evaluated, on_batch=after)
    task = search.task.scaled_by(values)
    costs = task.cost(torch.from_numpy(values)).numpy()
    chosen = _chosen(task, search.region, z, values, np.where(np.isfinite(costs), costs, np.inf), n_candidates)
    return task, z[chosen], values, reasons


def _chosen(
    task: Task, region: Region, z: Tensor, values: np.ndarray, costs: np.ndarray, n_candidates: int
) -> np.ndarray:
    """Numbers of the best latents that are not next to one another; of several goals the front comes first."""
    order = np.lexsort([costs, ~task.front(values)]) if len(task.goals) > 1 else np.argsort(costs, kind="stable")
    places = (z / region.unit).numpy()
    near = 0.1 * region.radius
    kept: list[int] = []
    for i in order:
        if len(kept) < n_candidates and all(np.linalg.norm(places[i] - places[j]) > near for j in kept):
            kept.append(int(i))
    rest = [int(i) for i in order if int(i) not in kept]
    return np.array((kept + rest)[:n_candidates])


def _verified(
    decoder: Decoder,
    region: Region,
    task: Task,
    z: Tensor,
    seen: np.ndarray,
    reasons: list[str],
    n_realizations: int,
    rng: np.random.Generator,
) -> Candidates:
    """Measure candidates anew, on realizations that no search has seen, and put the best first."""
    made = decoder.realizations(z, n_realizations, int(rng.integers(2**31)))
    mean, spread, share, why = mean_and_spread(list(task.properties.values()), made, decoder.grid)
    costs = task.cost(torch.from_numpy(mean)).numpy()
    order = np.lexsort([np.where(np.isfinite(costs), costs, np.inf), ~task.feasible(mean)])
    z, mean, spread, share = z[order.tolist()], mean[order], spread[order], share[order]
    flat = made[order].reshape(-1, *decoder.grid.shape)
    predicted: dict[str, np.ndarray] = {}
    for label, one in task.properties.items():
        if isinstance(one, Linkage) and (deviation := one.predictive_spread(flat, decoder.grid)) is not None:
            predicted[label] = deviation.reshape(len(z), n_realizations).mean(1)
    met = np.concatenate([seen, mean])
    targets = {goal.label: goal.target for goal in task.goals}
    labels = task.labels
    return Candidates(
        latents=z.numpy(),
        structures=decoder.structures(z),
        requested={label: targets.get(label) for label in labels},
        achieved=dict(zip(labels, mean.T, strict=True)),
        spread=dict(zip(labels, spread.T, strict=True)),
        measured=dict(zip(labels, share.T, strict=True)),
        units={label: unit_on(one, decoder.grid) for label, one in task.properties.items()},
        feasible=task.feasible(mean),
        on_front=task.front(mean),
        score=region.score(z).numpy(),
        region=region.describe(),
        reachable={
            label: (float(np.nanmin(column)), float(np.nanmax(column)))
            for label, column in zip(labels, met.T, strict=True)
        },
        reasons=why_not(task, mean, met, region),
        failures=dict(Counter(reasons + why)),
        method="gradient" if all(one.differentiable for one in task.properties.values()) else "black box",
        n_evaluations=len(seen),
        predictive_spread=predicted,
    )
