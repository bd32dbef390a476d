"""Collect what a report shows of a model: errors beside PCA, sets, examples, neighbours, a walk and candidates."""

from __future__ import annotations

import copy
import logging
from typing import Any

import numpy as np

from ...data import Structures
from ...data.sample_blocks import Progress
from ...data.subsets import select, spread_indices
from ...errors import InputError
from ...estimator import TwoPointPCA
from ...estimator.textures import AUTO
from ...evaluate.baseline import PCABaseline, pca_like
from ...evaluate.error_rows import ErrorRow, ErrorTable, fit_pcas
from ...evaluate.generated_sets import compare_generated, default_number, reason_against
from ...evaluate.measure import Measurement, decodes_statistics, measure, n_lags, round_trip
from ...evaluate.neighbours import distances_between, find_neighbours
from ...evaluate.walks import walk
from ...report import Candidates, Examples, Neighbours, RealizedSet, Traversal
from ...stats import relative_error

logger = logging.getLogger("matvae")
# Structures measured, so that a report takes about a minute: fewer where they are large, but always at least LEAST.
MOST, MOST_VOXELS, LEAST = 2000, 2**26, 20
# Where structures are realized from statistics, which takes a tenth of a second or more each: structures measured,
# structures in the sets that are compared, and components of the walk.
MOST_REALIZED, SET, WALK_REALIZED = 64, 24, 4
SHOWN = 6
# Bytes of the statistics that PCA is fitted on.
PCA_BYTES = 256 << 20
EXAMPLES, REALIZATIONS, QUERIES, NEIGHBOURS = 4, 4, 3, 3
WALK_STEPS, WALK_COMPONENTS = (-2.0, -1.0, 0.0, 1.0, 2.0), 12
MOST_CANDIDATES = 200
# Reconstructing structures from PC scores takes time: at most PCA_VOXELS voxels, in PCA_LEAST to PCA_MOST structures.
PCA_VOXELS, PCA_LEAST, PCA_MOST = 2**17, 4, 32
SEARCHED = 20000
MEAN = "training mean"


def most_measured(estimator: Any) -> int:
    """Most structures that are measured."""
    return MOST_REALIZED if decodes_statistics(estimator) else MOST


def choose(structures: Structures, most: int = MOST) -> tuple[Structures, np.ndarray]:
    """Choose structures spread over a set, still lazy, and return them with their indices ``(sample,)``."""
    n = min(most, max(LEAST, MOST_VOXELS // structures.grid.n_voxels))
    indices = spread_indices(len(structures), n)
    return (structures, indices) if len(structures) <= n else (select(structures, indices), indices)


def fit_pca(estimator: Any, structures: Structures) -> tuple[TwoPointPCA, int]:
    """Fit PCA with twice the model's components, if there are enough structures, and return the number of these."""
    most = max(2 * estimator.n_components + 1, LEAST, PCA_BYTES // (8 * n_lags(estimator)))
    sample, indices = choose(structures, min(MOST, most))
    return pca_like(estimator, min(2 * estimator.n_components, len(indices))).fit(sample.data), len(indices)


def error_table(estimator: Any, structures: Structures) -> ErrorTable:
    """Errors by lag beside PCA in both metrics, with as many components as the model, fitted on some structures."""
    most = max(estimator.n_components, LEAST, PCA_BYTES // (8 * n_lags(estimator)))
    sample, indices = choose(structures, min(MOST, most))
    return ErrorTable(estimator, fit_pcas(estimator, sample, min(estimator.n_components, len(indices))))


def set_parts(
    estimator: Any,
    structures: Structures,
    training: Structures | None,
    table: ErrorTable,
    measurement: Measurement,
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
    names : list of str
        Of the phases.
    """
    n = default_number(structures, SET)
    reason = reason_against(structures, n)
    chosen = spread_indices(len(structures), n or SHOWN)
    originals = select(structures, chosen).data.compute()
    rows, realizations = table.rows(measurement, originals, realize=reason is None)
    if realizations is None:
        return rows, None, reason or ""
    axes = structures.grid.axes or ()
    generated = compare_generated(estimator, realizations, originals, training, names=names, axes=axes)
    return rows, RealizedSet(generated.to_dict(), originals[:SHOWN], realizations[:SHOWN]), ""


def comparison_rows(
    estimator: Any,
    structures: Structures,
    measurement: Measurement,
    baseline: PCABaseline,
    n_fitted: int,
    *,
    same_data: bool,
) -> tuple[list[dict[str, Any]], str]:
    """Rows for `plot_errors`, PCA first, and a note on what PCA was fitted and measured on.

    Parameters
    ----------
    estimator : StatsVAETransformer
    structures : Structures
        Those that were measured.
    measurement : Measurement
        Of `estimator`, observed by `baseline`.
    baseline : PCABaseline
    n_fitted : int
        Structures that PCA was fitted on.
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
    structure_error, note = pca_structure_error(structures, baseline.pca, min(n, most))
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
    return rows, f"PCA was fitted on {n_fitted} {source}. {note}"


def pca_structure_error(structures: Structures, pca: TwoPointPCA, n_components: int) -> tuple[float | None, str]:
    """Centred error of structures reconstructed from PC scores, for a few structures, and a note on how."""
    n = min(PCA_MOST, PCA_VOXELS // structures.grid.n_voxels, len(structures))
    if structures.grid.phases == 1:
        return None, "No structures were reconstructed from PC scores, since these are continuous fields."
    if n < PCA_LEAST:
        return None, "No structures were reconstructed from PC scores, which takes long for structures of this size."
    truncated = copy.copy(pca)
    truncated.components_ = pca.components_[:n_components]
    try:
        measurement = measure(truncated, select(structures, spread_indices(len(structures), n)), decode=False)
    except InputError as error:
        return None, f"No structures could be reconstructed from PC scores: {error}"
    return measurement.reconstructed["centred_error"], (
        f"Structures were reconstructed from {n_components} PC scores by phase retrieval, for {n} of the structures; "
        "their error is less certain than that of matvae."
    )


def example_parts(estimator: Any, structures: Structures, indices: np.ndarray) -> Examples:
    """Structures spread over the set, their reconstructions, and realizations of their latents.

    Parameters
    ----------
    estimator : StatsVAETransformer
    structures : Structures
        Those that were measured.
    indices : array of int ``(sample,)``
        Their indices in the data.
    """
    chosen = spread_indices(len(structures), EXAMPLES)
    trip = round_trip(estimator, select(structures, chosen).data.compute(), decode=False, realize=AUTO)
    realizations = np.asarray(
        estimator.inverse_transform(trip.latents[:QUERIES], n_realizations=REALIZATIONS, random_state=0)
    )
    statistics = np.asarray(estimator.statistics(realizations.reshape(-1, *trip.structures.shape[1:])))
    errors = relative_error(np.repeat(trip.statistics[:QUERIES], REALIZATIONS, axis=0), statistics)
    return Examples(
        numbers=indices[chosen],
        originals=trip.structures,
        reconstructions=trip.reconstructions,
        statistics=trip.statistics,
        reconstructed_statistics=trip.reconstructed_statistics,
        errors=np.asarray(relative_error(trip.statistics, trip.reconstructed_statistics)),
        realizations=realizations,
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
    n_components = WALK_REALIZED if decodes_statistics(estimator) else WALK_COMPONENTS
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
