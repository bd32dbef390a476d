"""Collect what a report shows of a model: errors beside PCA, sets, examples, neighbours, a walk and candidates."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from ...data import Structures
from ...data.sample_blocks import Progress
from ...data.subsets import select, spread_indices
from ...estimator.pca import fit_variants
from ...estimator.textures import AUTO
from ...evaluate.baseline import PCABaseline, pca_like, with_fewer
from ...evaluate.error_rows import ErrorRow, ErrorTable
from ...evaluate.generated_sets import compare_generated, default_number, reason_against
from ...evaluate.measure import Measurement, RoundTrip, decodes_statistics, n_lags
from ...evaluate.neighbours import distances_between, find_neighbours
from ...evaluate.walks import walk
from ...report import Candidates, Examples, Neighbours, RealizedSet, Traversal
from ...stats import relative_error
from ...stats.metric import LAGS, PLAIN

logger = logging.getLogger("matvae")
# Structures measured, so that a report takes about a minute: fewer where they are large, but always at least LEAST.
MOST, MOST_VOXELS, LEAST = 2000, 2**26, 20
# Where structures are realized from statistics, which takes half a second or more each: structures measured, those of
# them that are compared as a set, and components of the walk; fewer where structures have more voxels, at these numbers
# of voxels altogether, but at least so many.
MOST_REALIZED, REALIZED_VOXELS = 64, 2**17
SET, SET_VOXELS, LEAST_SET = 24, 2**16, 12
WALK_REALIZED, WALK_VOXELS, LEAST_WALK = 4, 3 * 2**12, 2
# Structures that examples are taken from where there is no set.
SHOWN = 6
# Bytes of the statistics that PCA is fitted on.
PCA_BYTES = 256 << 20
EXAMPLES, REALIZATIONS, QUERIES, NEIGHBOURS = 4, 4, 3, 3
WALK_STEPS, WALK_COMPONENTS = (-2.0, -1.0, 0.0, 1.0, 2.0), 12
MOST_CANDIDATES = 200
SEARCHED = 20000
MEAN = "training mean"


def most_measured(estimator: Any, structures: Structures) -> int:
    """Most structures that are measured."""
    if not decodes_statistics(estimator):
        return MOST
    return _affordable(structures.grid.n_voxels, MOST_REALIZED, REALIZED_VOXELS, LEAST)


def _affordable(n_voxels: int, most: int, altogether: int, least: int) -> int:
    """At most `most` structures of `n_voxels`, with at most so many voxels altogether, but at least `least`."""
    return min(most, max(least, altogether // n_voxels))


def choose(structures: Structures, most: int = MOST) -> tuple[Structures, np.ndarray]:
    """Choose structures spread over a set, still lazy, and return them with their indices ``(sample,)``."""
    n = min(most, max(LEAST, MOST_VOXELS // structures.grid.n_voxels))
    indices = spread_indices(len(structures), n)
    return (structures, indices) if len(structures) <= n else (select(structures, indices), indices)


def fit_baselines(estimator: Any, structures: Structures) -> tuple[PCABaseline, ErrorTable, int]:
    """Fit PCA on some structures, whose statistics are computed once.

    Parameters
    ----------
    estimator : StatsVAETransformer
    structures : Structures

    Returns
    -------
    PCABaseline
        In the plain metric, with twice the model's components, if there are enough structures.
    ErrorTable
        Beside PCA in both metrics, with as many components as the model.
    int
        Number of structures that PCA was fitted on.
    """
    n = estimator.n_components
    most = max(2 * n + 1, LEAST, PCA_BYTES // (8 * n_lags(estimator)))
    sample, indices = choose(structures, min(MOST, most))
    n, twice = min(n, len(indices)), min(2 * n, len(indices))
    plain, lags = fit_variants(pca_like(estimator, n), sample, [{"n_components": twice}, {"metric": LAGS}])
    return PCABaseline(plain), ErrorTable(estimator, [with_fewer(plain, n), lags]), len(indices)


def set_number(structures: Structures) -> int:
    """Number of structures that are compared as a set; 0 where realizations would take long."""
    return default_number(structures, _affordable(structures.grid.n_voxels, SET, SET_VOXELS, LEAST_SET))


def set_positions(structures: Structures) -> np.ndarray:
    """Positions of the structures that sets and examples are taken from, spread over those that are measured."""
    return spread_indices(len(structures), set_number(structures) or SHOWN)


def set_parts(
    estimator: Any,
    structures: Structures,
    training: Structures | None,
    table: ErrorTable,
    measurement: Measurement,
    kept: RoundTrip,
    names: list[str],
) -> tuple[list[ErrorRow], RealizedSet | None, str]:
    """Errors by lag, realizations of some latents as a set, and the reason if there is no set.

    Parameters
    ----------
    estimator : StatsVAETransformer
    structures : Structures
        Those that were measured.
    training : Structures, optional
    table : ErrorTable
        Its observers have seen the measurement.
    measurement : Measurement
    kept : RoundTrip
        Of the structures at `set_positions`, from the measurement.
    names : list of str
        Of the phases.
    """
    reason = reason_against(structures, set_number(structures))
    originals = kept.structures
    rows, realizations = table.rows(measurement, originals, measured=kept, realize=reason is None)
    if realizations is None:
        return rows, None, reason or ""
    axes = structures.grid.axes or ()
    generated = compare_generated(estimator, realizations, originals, training, names=names, axes=axes)
    return rows, RealizedSet(generated.to_dict(), originals, realizations), ""


def comparison_rows(
    estimator: Any,
    measurement: Measurement,
    baseline: PCABaseline,
    n_fitted: int,
    structure_error: float | None = None,
    *,
    same_data: bool,
) -> tuple[list[dict[str, Any]], str]:
    """Rows for `plot_errors`, PCA first, and a note on what PCA was fitted on.

    Parameters
    ----------
    estimator : StatsVAETransformer
    measurement : Measurement
        Of `estimator`, observed by `baseline`.
    baseline : PCABaseline
    n_fitted : int
        Structures that PCA was fitted on.
    structure_error : float, optional
        Of structures realized from PC scores, see `pca_structure_error`.
    same_data : bool
        Whether these are structures of the report, for want of training structures.
    """
    n = estimator.n_components
    errors = baseline.centred_errors(measurement.scatter)
    if errors is None:
        return [], "All structures have equal 2-point statistics, so there is no variance to relate errors to."
    most = len(errors) - 1
    sizes = sorted({*(2**k for k in range(20)), n, most} & set(range(1, most + 1)))
    rows: list[dict[str, Any]] = [
        {"method": MEAN, "n_components": None, "centred_error": float(errors[0])},
        *({"method": "PCA", "n_components": size, "centred_error": float(errors[size])} for size in sizes),
    ]
    if structure_error is not None:
        rows.append({"method": "PCA", "n_components": min(n, most), "structure_centred_error": structure_error})
    rows.append(
        {
            "method": "matvae",
            "n_components": n,
            "centred_error": measurement.decoded["centred_error"],
            "structure_centred_error": measurement.reconstructed["centred_error"],
        }
    )
    source = "of the structures of this report" if same_data else "training structures"
    return rows, f"PCA was fitted on {n_fitted} {source}."


def pca_structure_error(table: ErrorTable, n: int, reason: str) -> tuple[float | None, str]:
    """Centred error of structures realized from PC scores in the plain metric, and a note on how.

    Parameters
    ----------
    table : ErrorTable
        With its rows made.
    n : int
        Structures of the set.
    reason : str
        Why there is no set; empty if there is one.
    """
    errors = table.structures_of_pca.get(PLAIN)
    if errors is None:
        return None, f"No structures were reconstructed from PC scores: {(reason or table.refusal).rstrip('.')}."
    return errors["centred_error"], (
        f"Structures were reconstructed from {table.pcas[0].n_components} PC scores by phase retrieval, for {n} of the "
        "structures; their error is less certain than that of matvae."
    )


def example_parts(
    estimator: Any, kept: RoundTrip, indices: np.ndarray, realizations: np.ndarray | None = None
) -> Examples:
    """Structures spread over the set, their reconstructions, and realizations of their latents.

    Parameters
    ----------
    estimator : StatsVAETransformer
    kept : RoundTrip
        Of the structures that examples are taken from.
    indices : array of int ``(sample,)``
        Their indices in the data.
    realizations : array ``(sample, *space)``, optional
        Of their latents by the model's default method, if they are at hand.
    """
    chosen = spread_indices(len(indices), EXAMPLES)
    originals, true, latents = kept.structures[chosen], kept.statistics[chosen], kept.latents[chosen]
    if realizations is None:
        reconstructions = np.asarray(estimator.inverse_transform(latents, random_state=0, realize=AUTO))
    else:
        reconstructions = realizations[chosen]
    reconstructed = np.asarray(estimator.statistics(reconstructions))
    several = np.asarray(estimator.inverse_transform(latents[:QUERIES], n_realizations=REALIZATIONS, random_state=0))
    statistics = np.asarray(estimator.statistics(several.reshape(-1, *originals.shape[1:])))
    errors = relative_error(np.repeat(true[:QUERIES], REALIZATIONS, axis=0), statistics)
    return Examples(
        numbers=indices[chosen],
        originals=originals,
        reconstructions=reconstructions,
        statistics=true,
        reconstructed_statistics=reconstructed,
        errors=np.asarray(relative_error(true, reconstructed)),
        realizations=several,
        realization_errors=np.asarray(errors).reshape(-1, REALIZATIONS),
    )


def neighbour_parts(
    estimator: Any, examples: Examples, training: Structures | None, *, progress: Progress | None = None
) -> tuple[dict[str, Neighbours], str]:
    """Neighbours of the first examples by voxels and by statistics, and a note on where they were searched for.

    Parameters
    ----------
    estimator : StatsVAETransformer
    examples : Examples
    training : Structures, optional
        Those that are searched.
    progress : callable, optional
        Called with the number of structures searched and their total.
    """
    if training is None:
        return {}, "No training structures were given to search. Name them with --train."
    queries = examples.originals[:QUERIES]
    candidates, indices = choose(training, SEARCHED)
    searches = find_neighbours(estimator, queries, candidates, min(NEIGHBOURS, len(candidates)), progress=progress)
    distances = distances_between(estimator, queries, examples.reconstructions[:QUERIES])
    return {
        name: Neighbours(indices[search.index], search.distance, search.structures, distances[name])
        for name, search in searches.items()
    }, f"{len(candidates)} of {len(training)} training structures were searched."


def walk_parts(estimator: Any, latents: np.ndarray) -> Traversal:
    """Structures along the components that vary most, and the first correlation of each."""
    n_components = WALK_COMPONENTS
    if decodes_statistics(estimator):
        n_components = _affordable(estimator.grid_.n_voxels, WALK_REALIZED, WALK_VOXELS, LEAST_WALK)
    along = walk(estimator, latents, steps=WALK_STEPS, n_components=n_components)
    flat = along.structures.reshape(-1, *along.structures.shape[2:])
    statistics = np.asarray(estimator.statistics(flat))[..., 0]
    statistics = statistics.reshape(*along.structures.shape[:2], *statistics.shape[1:])
    return Traversal(along.components, along.steps, along.structures, statistics)


def candidate_parts(estimator: Any, designed: Structures, name: str, model: str) -> Candidates:
    """Candidates of a design, with the latents that the store holds if they are latents of this model.

    Parameters
    ----------
    estimator : StatsVAETransformer
    designed : Structures
        As `optimize_structures` writes them.
    name, model : str
        Names of their store and of the model.
    """
    shown = designed[: min(MOST_CANDIDATES, len(designed))]
    if len(shown) < len(designed):
        logger.info("The first %d of %d candidates are shown.", len(shown), len(designed))
    structures = shown.data.compute()
    names = [f"latent_{i}" for i in range(estimator.n_components)]
    if shown.attributes.get("model") == model and set(names) <= set(shown.properties):
        latents = np.column_stack([shown.properties[name] for name in names])
    else:
        latents = np.asarray(estimator.transform(structures))
    reasons, region = shown.attributes.get("reasons"), shown.attributes.get("region")
    if not isinstance(reasons, list) or len(reasons) != len(designed):
        reasons = []
    return Candidates(
        name=name,
        structures=structures,
        latents=latents,
        properties={key: values for key, values in shown.properties.items() if not key.startswith("latent_")},
        units=dict(shown.units),
        reasons=[None if reason is None else str(reason) for reason in reasons[: len(shown)]],
        region="" if region is None else str(region),
    )
