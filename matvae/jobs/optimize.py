"""Structures with wanted properties, into a store."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data import StoreWriter, open_structures
from ..data.layout import check_property_names
from ..data.sample_blocks import Progress
from ..estimator import load
from ..optimize import (
    Candidates,
    Constraint,
    Goal,
    Property,
    load_linkage,
    optimize_latents,
    parse_constraint,
    parse_goal,
)
from .files.latents import latent_format, new_latents
from .files.outputs import check_output
from .models import check_fits, check_form
from .optimize_log import SearchLog

logger = logging.getLogger("matvae")


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
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Search for structures with wanted properties and write them to a new store.

    Parameters
    ----------
    model : path
        Fitted model, as `fit_model` saved it.
    out : path
        New store: ``(candidate, *space)``, best first. Its properties are, for each property NAME of the goals and
        constraints, ``NAME`` (mean over realizations), ``NAME_spread`` and, where there is a target,
        ``requested_NAME``; further ``feasible``, ``on_front``, ``out_of_distribution`` and the latents, ``latent_0``
        and so on; of a linkage with a predictive spread ``NAME_predictive_spread`` too.
    objective, constraints, n_candidates, n_realizations, n_starts, max_iter, n_evaluations
        As in `matvae.optimize.optimize_latents`; goals may also be texts, such as ``"specific_surface=max"``.
    linkages : sequence of path
        Files that `matvae.optimize.save_linkage` wrote for this model; goals and constraints name their properties.
    train : path, optional
        Training structures; the search then stays where their latents are, otherwise within the prior.
    latents : path, optional
        New .zarr, .npy or .csv for the latents of the candidates, to make more structures of.
    seed : int
    overwrite : bool
        Whether existing outputs may be replaced.
    progress : callable, optional
        Called with the work done and all there is.

    Returns
    -------
    dict
        ``out``, ``n_candidates``, ``rows`` (one a candidate), ``region``, ``method``, ``n_evaluations``,
        ``reachable``, ``units``, ``failures``.

    Raises
    ------
    InputError, PluginError, StoreError
        If something does not fit together; nothing is written then. A search without gradients keeps what it has
        measured in a file beside `out`, and the same call goes on from there.
    """
    inputs = [path for path in (model, train, *linkages) if path is not None]
    target = check_output(out, inputs, overwrite=overwrite)
    if latents is not None:
        latent_format(latents)
        check_output(latents, [*inputs, target], overwrite=overwrite)
    estimator = load(model)
    check_form(estimator, model)
    known: dict[str, Property] = {}
    for path in linkages:
        linkage = load_linkage(path, estimator)
        known[linkage.name] = linkage
    asked = [objective] if isinstance(objective, Goal | str) else list(objective)
    goals = [parse_goal(one, known) if isinstance(one, str) else one for one in asked]
    kept = [parse_constraint(one, known) if isinstance(one, str) else one for one in constraints]
    wishes: list[Goal | Constraint] = [*goals, *kept]
    n_components = len(estimator.get_feature_names_out())
    check_property_names(_names([wish.label for wish in wishes], goals, n_components), estimator.grid_)
    data = None
    if train is not None:
        structures = open_structures(train)
        check_fits(estimator, structures, model, train)
        data = np.asarray(estimator.transform(structures.data))
    log = SearchLog.beside(target, _fingerprint(model, train, wishes, seed))
    before = log.read(overwrite=overwrite)
    if before is not None:
        logger.info("%d latents were measured before; the search goes on from there.", len(before[0]))
    try:
        found = optimize_latents(
            estimator,
            goals,
            constraints=kept,
            n_candidates=n_candidates,
            latents=data,
            n_realizations=n_realizations,
            n_starts=n_starts,
            max_iter=max_iter,
            n_evaluations=n_evaluations,
            random_state=seed,
            evaluated=before,
            on_batch=log.append,
            progress=progress,
        )
    except KeyboardInterrupt:
        kept_text = f"What was measured is in {log.path}; the same command goes on." if log.path.exists() else ""
        raise KeyboardInterrupt(f"Interrupted; {target} was not written. {kept_text}".strip()) from None
    _write(found, target, estimator.grid_, Path(model).name, overwrite)
    if latents is not None:
        names = list(estimator.get_feature_names_out())
        made = Path(latents)
        with new_latents(made, len(found), names, attributes={}, properties={}, units={}) as put:
            put(found.latents)
    log.remove()
    return {
        "out": str(target),
        "latents": None if latents is None else str(latents),
        "n_candidates": len(found),
        "grid": estimator.grid_.to_dict(),
        "rows": _rows(found),
        "requested": found.requested,
        "units": found.units,
        "region": found.region,
        "reachable": {label: list(ends) for label, ends in found.reachable.items()},
        "method": found.method,
        "n_evaluations": found.n_evaluations,
        "failures": found.failures,
    }


def _write(found: Candidates, target: Path, grid: Any, model: str, overwrite: bool) -> None:
    properties: dict[str, np.ndarray] = {}
    units: dict[str, str] = {}
    for label, values in found.achieved.items():
        own = {label: values, f"{label}_spread": found.spread[label]}
        if label in found.predictive_spread:
            own[f"{label}_predictive_spread"] = found.predictive_spread[label]
        wanted = found.requested[label]
        if wanted is not None:
            own[f"requested_{label}"] = np.full(len(found), wanted)
        properties.update(own)
        if found.units[label]:
            units.update(dict.fromkeys(own, found.units[label]))
    properties["feasible"] = found.feasible.astype(float)
    properties["on_front"] = found.on_front.astype(float)
    properties["out_of_distribution"] = found.score.astype(float)
    properties.update({f"latent_{i}": column.astype(float) for i, column in enumerate(found.latents.T)})
    attributes = {"model": model, "region": found.region, "reasons": list(found.reasons), "method": found.method}
    with StoreWriter(
        target,
        grid,
        n_samples=len(found),
        property_names=list(properties),
        units=units,
        attributes=attributes,
        overwrite=overwrite,
    ) as writer:
        writer.append(found.structures, properties)


def _rows(found: Candidates) -> list[dict[str, Any]]:
    return [
        {
            "candidate": i,
            "achieved": {label: float(values[i]) for label, values in found.achieved.items()},
            "spread": {label: float(values[i]) for label, values in found.spread.items()},
            "predictive_spread": {label: float(values[i]) for label, values in found.predictive_spread.items()},
            "measured": {label: float(values[i]) for label, values in found.measured.items()},
            "feasible": bool(found.feasible[i]),
            "on_front": bool(found.on_front[i]),
            "out_of_distribution": float(found.score[i]),
            "reason": found.reasons[i],
        }
        for i in range(len(found))
    ]


def _names(labels: Sequence[str], goals: Sequence[Goal], n_components: int) -> list[str]:
    """Names of the properties that a store of candidates has."""
    unique = list(dict.fromkeys(labels))
    requested = [f"requested_{goal.label}" for goal in goals if goal.target is not None]
    fixed = ["feasible", "on_front", "out_of_distribution", *(f"latent_{i}" for i in range(n_components))]
    return [*unique, *(f"{label}_spread" for label in unique), *requested, *fixed]


def _fingerprint(model: str | Path, train: str | Path | None, wishes: Sequence[Goal | Constraint], seed: int) -> str:
    """Hash of what the values of a search depend on; not of how long it goes on."""
    digest = hashlib.sha256((Path(model) / "estimator.json").read_bytes())
    for wish in wishes:
        asked = (wish.sense, wish.target) if isinstance(wish, Goal) else (wish.low, wish.high)
        digest.update(repr((wish.label, _identity(wish.property), asked)).encode())
    digest.update(repr((str(train), seed)).encode())
    return digest.hexdigest()


def _identity(wanted: Property) -> str:
    """What tells a property from others of its name: its options, where it is a dataclass."""
    own = repr(wanted) if is_dataclass(wanted) else ""
    return f"{type(wanted).__module__}.{type(wanted).__qualname__} {own}"
