"""Inverse design job: search for structures with requested properties, and write them to a store."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data import StoreWriter
from ..data.layout import check_property_names
from ..data.sample_blocks import Progress
from ..data.subsets import spread_indices
from ..estimator import load
from ..evaluate.resemblance import agreement
from ..grid import Grid
from ..optimize import (
    Candidates,
    Constraint,
    Goal,
    Linkage,
    Property,
    load_linkage,
    optimize_latents,
)
from ..optimize.believability import MEASURES
from ..optimize.comparison import Comparison
from ..optimize.goal import read_constraints, read_goals
from .cluster import crew_of
from .files.kept import digest_of_model
from .files.latents import latent_format, new_latents
from .files.outputs import check_output
from .models import check_form, known_values, open_fitting
from .optimize_log import SearchLog

logger = logging.getLogger("matvae")
# Training windows whose pairs are compared with those of realizations.
MOST_PAIRED = 16


def optimize_structures(
    model: str | Path,
    out: str | Path,
    *,
    objective: Goal | str | Sequence[Goal | str],
    constraints: Sequence[Constraint | str] = (),
    linkages: Sequence[str | Path] = (),
    n_candidates: int = 10,
    train: str | Path | None = None,
    latents: str | Path | None = None,
    n_realizations: int = 8,
    n_starts: int | None = None,
    max_iter: int = 150,
    n_evaluations: int = 60,
    seed: int = 0,
    workers: int | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Search for structures with requested properties and write them to a new store.

    Parameters
    ----------
    model : path
        Fitted model, as saved by `fit_model`.
    out : path
        New store ``(candidate, *space)``, best first. For each property NAME of the goals and constraints it has the
        properties ``NAME`` (mean over realizations), ``NAME_spread`` (their standard deviation), ``requested_NAME`` if
        there is a target, and ``NAME_predictive_spread`` for a linkage with a predictive distribution; in addition
        ``feasible``, ``on_front``, ``out_of_distribution``, ``differing`` (mean share of voxels in which two
        realizations differ at the best shift), and the latents as ``latent_0`` and so on. Where training windows are
        known, ``least_training_NAME`` and ``largest_training_NAME`` are the range over those that meet the constraints;
        ``pieces`` and ``total_surface`` are stored with their ranges over all training windows, ``beats_training`` and
        ``believable`` are 0 or 1.
    objective, constraints, n_candidates, n_realizations, n_starts, max_iter, n_evaluations
        As in `matvae.optimize.optimize_latents`; goals may also be text, such as ``"specific_surface=max"``.
    linkages : sequence of path
        Files that `matvae.optimize.save_linkage` wrote for this model. Goals and constraints refer to their properties
        by name.
    train : path, optional
        Training structures, to search near their latents and to compare candidates with them; by default the windows
        that a decoder of statistics carries. Without any, the search is confined to the prior.
    latents : path, optional
        New .zarr, .npy or .csv file for the latents of the candidates, from which more realizations can be generated.
    seed : int
    workers, scheduler : optional
        Number of local processes, or address of a dask scheduler, that realize structures and measure
        properties without a gradient; see `matvae.jobs.cluster.crew_of`.
    overwrite : bool
        Whether to replace existing outputs.
    progress : callable, optional
        Called with the amount of work done and the total.

    Returns
    -------
    dict
        ``out``, ``latents``, ``n_candidates``, ``grid``, ``rows`` (one per candidate), ``requested``, ``units``,
        ``region``, ``reachable``, ``method``, ``n_evaluations``, ``failures``; ``training``, None if no training
        windows are known: ``n_windows``, ``n_meeting``, ``ranges``, ``texture_ranges``, ``differing``, ``summary``.

    Raises
    ------
    InputError, PluginError, StoreError
        If the inputs do not match; nothing is written then. A search without gradients keeps its measurements in a
        file next to `out`, and the same call resumes it.
    """
    inputs = [path for path in (model, train, *linkages) if path is not None]
    target = check_output(out, inputs, overwrite=overwrite)
    if latents is not None:
        latent_format(latents)
        check_output(latents, [*inputs, target], overwrite=overwrite)
    estimator = load(model)
    check_form(estimator, model)
    named: dict[str, Property] = {}
    for path in linkages:
        linkage = load_linkage(path, estimator)
        named[linkage.name] = linkage
    goals, ranges = read_goals(objective, named), read_constraints(constraints, named)
    requirements: list[Goal | Constraint] = [*goals, *ranges]
    n_components = len(estimator.get_feature_names_out())
    check_property_names(_property_names(requirements, n_components), estimator.grid_)
    training = None if train is None else open_fitting(train, estimator, model).data
    log = SearchLog.next_to(target, _fingerprint(model, train, requirements, seed))
    evaluated = log.read(overwrite=overwrite)
    if evaluated is not None:
        logger.info("Resuming the search: %d latents were measured before.", len(evaluated[0]))
    try:
        with crew_of(workers, scheduler) as crew:
            candidates = optimize_latents(
                estimator,
                goals,
                constraints=ranges,
                n_candidates=n_candidates,
                training=training,
                n_realizations=n_realizations,
                n_starts=n_starts,
                max_iter=max_iter,
                n_evaluations=n_evaluations,
                random_state=seed,
                evaluated=evaluated,
                on_batch=log.append,
                progress=progress,
                crew=crew,
            )
    except KeyboardInterrupt:
        saved = f" Its measurements are in {log.path}; the same command resumes it." if log.path.exists() else ""
        raise KeyboardInterrupt(f"The search was interrupted, and {target} was not written.{saved}") from None
    differing = np.array([_differing(structures, estimator.grid_) for structures in candidates.realizations])
    origin = {"model": Path(model).name, **known_values(estimator)}
    _write(candidates, differing, target, estimator.grid_, origin, overwrite)
    if latents is not None:
        names = list(estimator.get_feature_names_out())
        with new_latents(Path(latents), len(candidates), names, attributes={}, properties={}, units={}) as append:
            append(candidates.latents)
    log.remove()
    return {
        "out": str(target),
        "latents": None if latents is None else str(latents),
        "n_candidates": len(candidates),
        "grid": estimator.grid_.to_dict(),
        "rows": _rows(candidates, differing),
        "requested": candidates.requested,
        "units": candidates.units,
        "region": candidates.region,
        "reachable": {label: list(limits) for label, limits in candidates.reachable.items()},
        "method": candidates.method,
        "n_evaluations": candidates.n_evaluations,
        "failures": candidates.failures,
        "training": _training(candidates.comparison, estimator.grid_),
    }


def _write(
    candidates: Candidates,
    differing: np.ndarray,
    target: Path,
    grid: Grid,
    origin: Mapping[str, Any],
    overwrite: bool,
) -> None:
    properties: dict[str, np.ndarray] = {}
    units: dict[str, str] = {}
    for label, values in candidates.achieved.items():
        columns = {label: values, f"{label}_spread": candidates.spread[label]}
        if label in candidates.predictive_spread:
            columns[f"{label}_predictive_spread"] = candidates.predictive_spread[label]
        requested = candidates.requested[label]
        if requested is not None:
            columns[f"requested_{label}"] = np.full(len(candidates), requested)
        properties.update(columns)
        if candidates.units[label]:
            units.update(dict.fromkeys(columns, candidates.units[label]))
    properties["feasible"] = candidates.feasible.astype(float)
    properties["on_front"] = candidates.on_front.astype(float)
    properties["out_of_distribution"] = candidates.score.astype(float)
    properties["differing"] = differing
    if candidates.comparison is not None:
        properties.update(_compared(candidates.comparison))
        units.update({name: unit.replace("length", grid.length_unit) for name, unit in MEASURES.items()})
    properties.update({f"latent_{i}": column.astype(float) for i, column in enumerate(candidates.latents.T)})
    attributes = {
        **origin,
        "region": candidates.region,
        "reasons": list(candidates.reasons),
        "method": candidates.method,
    }
    with StoreWriter(
        target,
        grid,
        n_samples=len(candidates),
        property_names=list(properties),
        units=units,
        attributes=attributes,
        overwrite=overwrite,
    ) as writer:
        writer.append(candidates.structures, properties)


def _compared(comparison: Comparison) -> dict[str, np.ndarray]:
    """Properties of the store that set candidates beside training windows."""
    properties = {name: values.astype(float) for name, values in comparison.texture.items()}
    for name, (least, largest) in {**comparison.ranges, **comparison.texture_ranges}.items():
        properties[f"least_training_{name}"] = np.full(len(comparison.believable), least)
        properties[f"largest_training_{name}"] = np.full(len(comparison.believable), largest)
    properties["believable"] = comparison.believable.astype(float)
    if comparison.beats is not None:
        properties["beats_training"] = comparison.beats.astype(float)
    return properties


def _training(comparison: Comparison | None, grid: Grid) -> dict[str, Any] | None:
    if comparison is None:
        return None
    structures = comparison.windows.structures
    return {
        "n_windows": comparison.n_windows,
        "n_meeting": comparison.n_meeting,
        "ranges": {label: list(limits) for label, limits in comparison.ranges.items()},
        "texture_ranges": {name: list(limits) for name, limits in comparison.texture_ranges.items()},
        "differing": _differing(structures[spread_indices(len(structures), MOST_PAIRED)], grid),
        "summary": comparison.summary,
    }


def _differing(structures: np.ndarray, grid: Grid) -> float:
    """Mean share of voxels in which two of some structures ``(sample, *space)`` differ at the best shift."""
    shares = agreement(structures, structures, phases=grid.phases)
    return float(1 - shares[np.triu_indices(len(shares), 1)].mean())


def _rows(candidates: Candidates, differing: np.ndarray) -> list[dict[str, Any]]:
    comparison = candidates.comparison
    return [
        {
            "candidate": i,
            "achieved": {label: float(values[i]) for label, values in candidates.achieved.items()},
            "spread": {label: float(values[i]) for label, values in candidates.spread.items()},
            "predictive_spread": {label: float(values[i]) for label, values in candidates.predictive_spread.items()},
            "measured": {label: float(values[i]) for label, values in candidates.measured.items()},
            "feasible": bool(candidates.feasible[i]),
            "on_front": bool(candidates.on_front[i]),
            "out_of_distribution": float(candidates.score[i]),
            "differing": float(differing[i]),
            "texture": {} if comparison is None else {name: float(v[i]) for name, v in comparison.texture.items()},
            "believable": None if comparison is None else bool(comparison.believable[i]),
            "beats_training": None if comparison is None or comparison.beats is None else bool(comparison.beats[i]),
            "reason": candidates.reasons[i],
        }
        for i in range(len(candidates))
    ]


def _property_names(requirements: Sequence[Goal | Constraint], n_components: int) -> list[str]:
    """All names that properties of a store of candidates may have."""
    labels = list(dict.fromkeys(requirement.label for requirement in requirements))
    targets = [goal.label for goal in requirements if isinstance(goal, Goal) and goal.target is not None]
    linkages = dict.fromkeys(item.label for item in requirements if isinstance(item.property, Linkage))
    compared = [*labels, *MEASURES]
    return [
        *compared,
        *(f"{label}_spread" for label in labels),
        *(f"{label}_predictive_spread" for label in linkages),
        *(f"requested_{label}" for label in targets),
        *(f"{side}_training_{name}" for side in ("least", "largest") for name in compared),
        *("feasible", "on_front", "out_of_distribution", "differing", "believable", "beats_training"),
        *(f"latent_{i}" for i in range(n_components)),
    ]


def _fingerprint(
    model: str | Path, train: str | Path | None, requirements: Sequence[Goal | Constraint], seed: int
) -> str:
    """Hash of everything that the measurements depend on, but not of the length of the search."""
    digest = hashlib.sha256(digest_of_model(model).encode())
    for requirement in requirements:
        bounds = (
            (requirement.sense, requirement.target)
            if isinstance(requirement, Goal)
            else (requirement.low, requirement.high)
        )
        digest.update(repr((requirement.label, _identity(requirement.property), bounds)).encode())
    digest.update(repr((str(train), seed)).encode())
    return digest.hexdigest()


def _identity(property: Property) -> str:
    """Class of a property and, for dataclasses, its options."""
    options = repr(property) if is_dataclass(property) else ""
    return f"{type(property).__module__}.{type(property).__qualname__} {options}"
