"""Inverse design: search for latents whose decoded structures have requested properties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from .. import validate
from ..crew import ALONE, Crew
from ..estimator import FittedModel
from ..estimator.batches import seed_from
from ..estimator.realizations import check_phases_realized
from ..estimator.samples import check_fitted
from .blackbox import BlackBoxSearch
from .comparison import compare
from .goal import Constraint, Goal, read_constraints, read_goals
from .gradient import GradientSearch
from .linkage import Linkage
from .measuring import LatentDecoder, check_any_measured, mean_and_std
from .predicted import TextureDecoder
from .property import unit_on
from .region import Region
from .result import Candidates, explain_misses
from .search import Effort, Outcome, search_black_box, search_by_gradient, search_by_prediction
from .stages import REALIZING, OnStage, Stages
from .task import Task
from .windows import MeasuredWindows, OnBatch, TrainingWindows


def optimize_latents(
    model: Any,
    objective: Goal | str | Sequence[Goal | str],
    *,
    constraints: Sequence[Constraint | str] = (),
    n_candidates: int = 10,
    training: Any = None,
    latents: Any = None,
    n_realizations: int = 8,
    n_starts: int | None = None,
    max_iter: int = 150,
    n_evaluations: int = 60,
    random_state: Any = None,
    evaluated: tuple[np.ndarray, np.ndarray] | None = None,
    on_batch: OnBatch | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_stage: OnStage | None = None,
    crew: Crew = ALONE,
) -> Candidates:
    """Find latents whose decoded structures have requested properties.

    If every property is differentiable, the search follows its gradient through the decoder from many starting points
    at once. Otherwise a Gaussian process of the values measured so far proposes where to measure next (BoTorch, extra
    ``optimize``). For a decoder of statistics, properties are predicted from the latent instead: volume fraction,
    specific surface, statistics and linkages by the decoder, others by a polynomial fitted to the values of training
    windows. Predictions only guide the search. Reported values are measured on structures, and are means over
    realizations that the search did not use.

    Where training windows are known, the search also starts from the best of them, and candidates are compared with
    them.

    Parameters
    ----------
    model : StatsVAETransformer
        Fitted on structures of two or more phases.
    objective : Goal or str, or sequence of them
        From `maximize`, `minimize` and `reach`, or text such as ``"specific_surface=max"``. With several goals the
        candidates lie along the Pareto front.
    constraints : sequence of Constraint or str
        From `between`, or text such as ``"volume_fraction=0.30+-0.01"``.
    n_candidates : int
    training : array, optional
        Training structures in the form passed to `fit`; by default the windows that a decoder of statistics carries.
    latents : array ``(sample, component)``, optional
        ``model.transform(X)`` of the training structures, to search near them; by default those of `training`. Without
        either, the search is confined to the prior.
    n_realizations : int
        Number of realizations per candidate over which properties are averaged, at least 2.
    n_starts : int, optional
        Number of starting points of the gradient search; by default four per candidate, and at least 32.
    max_iter : int
        Number of gradient steps from each starting point.
    n_evaluations : int
        Number of latents that the gradient-free search measures, and of training windows on which properties without a
        gradient are measured.
    random_state : int, RandomState or None
    evaluated : (latents, values), optional
        All that `on_batch` received in an earlier search, to continue it.
    on_batch : callable, optional
        Called with latents ``(k, component)`` and values ``(k, property)`` as soon as properties without a gradient are
        measured.
    progress : callable, optional
        Called with the amount of work done and the total.
    on_stage : callable, optional
        Called with the stage of the search in words, such as ``"Realizing and measuring candidates"``, the steps of it
        that are done, and their total.
    crew : Crew
        Who realizes structures from decoded statistics.

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
    effort = Effort(n_candidates, n_realizations, n_starts, max_iter, n_evaluations)
    task = Task.of(read_goals(objective), read_constraints(constraints))
    seed = seed_from(random_state)
    rng = np.random.default_rng(seed)
    stages = Stages(on_stage)
    known = TrainingWindows.of(model, training)
    if latents is None and known is not None:
        latents = known.latents
    n_components = model.module_.spec.n_components
    region = Region.of_prior(n_components) if latents is None else Region.of_data(latents, n_components, seed)
    windows = None
    if known is not None:
        windows = known.measured(
            task, model.grid_, n_evaluations, evaluated=evaluated, on_batch=on_batch, stages=stages
        )
        check_any_measured(windows.values, windows.reasons)
        evaluated = _after(evaluated, 0 if task.has_gradient else len(windows))
    decoder: LatentDecoder
    if FittedModel.of(model).decodes_structures:
        decoder, predicts = LatentDecoder(model, crew), False
    else:
        decoder = TextureDecoder.of(model, task.properties, windows, crew)
        predicts = decoder.predicts(task.properties)
    if predicts:
        outcome = search_by_prediction(GradientSearch(decoder, task, region), effort, windows, rng, progress, stages)
    elif task.has_gradient and FittedModel.of(model).decodes_structures:
        outcome = search_by_gradient(GradientSearch(decoder, task, region), effort, windows, rng, progress, stages)
    else:
        black_box = BlackBoxSearch(decoder, task, region)
        outcome = search_black_box(black_box, effort, windows, rng, progress, evaluated, on_batch, stages)
    return _verify(outcome, decoder, region, windows, n_realizations, rng, stages)


def _after(evaluated: tuple[np.ndarray, np.ndarray] | None, n: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Measurements that follow the first n, which are those of training windows."""
    if evaluated is None or len(evaluated[0]) <= n:
        return None
    return evaluated[0][n:], evaluated[1][n:]


def _verify(
    outcome: Outcome,
    decoder: LatentDecoder,
    region: Region,
    windows: MeasuredWindows | None,
    n_realizations: int,
    rng: np.random.Generator,
    stages: Stages,
) -> Candidates:
    """Measure candidates on realizations that the search did not use, sort them, and compare them with training."""
    task, z = outcome.task, outcome.latents
    seed = int(rng.integers(2**31))
    stages.begin(REALIZING, len(z))
    realizations = decoder.realizations(z, n_realizations, seed, stages.step)
    mean, std, fraction, reasons = mean_and_std(task.properties.values(), realizations, decoder.grid)
    costs = task.cost(torch.from_numpy(mean)).numpy()
    order = np.lexsort([np.where(np.isfinite(costs), costs, np.inf), ~task.feasible(mean)])
    z, mean, std, fraction = z[order.tolist()], mean[order], std[order], fraction[order]
    realizations = realizations[order]
    structures = realizations.reshape(-1, *decoder.grid.shape)
    predictive_spread: dict[str, np.ndarray] = {}
    for label, property in task.properties.items():
        predicted = property.predictive_std(structures, decoder.grid) if isinstance(property, Linkage) else None
        if predicted is not None:
            predictive_spread[label] = predicted.reshape(len(z), n_realizations).mean(1)
    comparison = None if windows is None else compare(task, mean, std, realizations, windows, decoder.grid)
    all_values = np.concatenate([outcome.values, mean])
    misses = explain_misses(task, mean, all_values, region)
    if comparison is not None:
        misses = tuple(" ".join(filter(None, pair)) or None for pair in zip(misses, comparison.reasons, strict=True))
    targets = {goal.label: goal.target for goal in task.goals}
    labels = task.labels
    return Candidates(
        latents=z.numpy(),
        structures=decoder.shown(z, realizations),
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
        reasons=misses,
        failures=dict(Counter(outcome.reasons + reasons)),
        method=outcome.method,
        n_evaluations=len(outcome.values),
        realizations=realizations,
        seed=seed,
        samples=order,
        predictive_spread=predictive_spread,
        comparison=comparison,
        grid=decoder.grid,
    )
