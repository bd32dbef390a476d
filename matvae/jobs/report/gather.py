"""What a report shows of a model, measured: errors, examples, neighbours, walks and candidates."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...data import Structures
from ...data.sample_blocks import sample_blocks
from ...errors import InputError
from ...estimator import TwoPointPCA
from ...evaluate import Nearest, Scatter, StatisticsError
from ...report import Candidates, Examples, Neighbours, Traversal
from ...stats import relative_error, resolve_correlations
from ..measure import block_size
from ..nearest import mean_squares, phase_fields, spread
from .sample import choose

logger = logging.getLogger("matvae")
EXAMPLES, REALIZATIONS, QUERIES, NEIGHBOURS = 4, 4, 3, 3
STEPS = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
# Components walked along, and candidates looked at.
WALKS, MOST_CANDIDATES = 12, 200
# PCA's structures take time: so many voxels of them are made, of no fewer structures than are worth a mean.
PCA_VOXELS, PCA_LEAST, PCA_MOST = 2**17, 4, 32
SEARCHED = 20000
MEAN = "training mean"
Done = Callable[[int], None]


@dataclass(frozen=True)
class Measured:
    """Errors and places of all structures.

    Parameters
    ----------
    relative : array ``(sample,)``
        Relative errors of the statistics of what came back.
    decoded, structure : float or None
        Centred errors of decoded statistics, and of those of structures; None where all structures have equal ones.
    pca_centred : array ``(component,)``
        Centred errors of 0, 1, ... components of PCA.
    fractions : array ``(2, sample, phase)`` or None
    latents, scores : array ``(sample, component)``
    pairs : sequence of (int, int)
    """

    relative: np.ndarray
    decoded: float | None
    structure: float | None
    pca_centred: np.ndarray | None
    fractions: np.ndarray | None
    latents: np.ndarray
    scores: np.ndarray
    pairs: Sequence[tuple[int, int]]


def measure_all(estimator: Any, structures: Structures, pca: TwoPointPCA, done: Done) -> Measured:
    """Take every structure to its latent and back, and to its scores."""
    scatter, soft, sharp = Scatter(), StatisticsError(), StatisticsError()
    mean = pca.mean_.astype(np.float64).ravel()
    components = pca.components_.reshape(len(pca.components_), -1).astype(np.float64)
    left = np.zeros(len(components) + 1)
    latents, scores, fractions = [], [], []
    for start, block in sample_blocks(structures.data, block_size(estimator, structures)):
        f, z = np.asarray(estimator.statistics(block)), np.asarray(estimator.transform(block))
        made = np.asarray(estimator.inverse_transform(z))
        scatter.add(f)
        soft.add(f, np.asarray(estimator.inverse_statistics(z)))
        sharp.add(f, np.asarray(estimator.statistics(made)))
        rows = f.reshape(len(f), -1) - mean
        found = rows @ components.T
        # Components are orthonormal: what each explains leaves the error.
        explained = np.square(found).sum(0)
        left += np.square(rows).sum() - np.concatenate([[0.0], np.cumsum(explained)])
        latents.append(z)
        scores.append(found)
        fractions.append([volume_fractions_of(x, structures.grid.phases) for x in (block, made)])
        done(start + len(block))
    return Measured(
        sharp.relative,
        soft.summary(scatter)["centred_error"],
        sharp.summary(scatter)["centred_error"],
        np.sqrt(np.maximum(left, 0) / scatter.squares) if scatter.squares > 0 else None,
        np.concatenate(fractions, axis=1) if structures.grid.phases > 1 else None,
        np.concatenate(latents),
        np.concatenate(scores),
        resolve_correlations(estimator.correlations, estimator.grid_.phases),
    )


def volume_fractions_of(labels: np.ndarray, phases: int) -> np.ndarray:
    """Volume fractions ``(sample, phase)`` of phases 1 and so on."""
    flat = labels.reshape(len(labels), -1)
    return np.stack([(flat == phase).mean(1) for phase in range(1, max(phases, 2))], axis=1)


def rows_beside_pca(
    estimator: Any, structures: Structures, measured: Measured, pca: TwoPointPCA, n_fitted: int, *, own: bool
) -> tuple[list[dict[str, Any]], str]:
    """Rows for `plot_errors`, PCA first, and what PCA was fitted and measured on."""
    n = estimator.n_components
    note = f"PCA was fitted on {n_fitted} {'of the structures of this report' if own else 'training structures'}."
    if measured.pca_centred is None:
        return (
            [],
            "All structures have the same 2-point statistics: errors cannot be set in relation to how they differ.",
        )
    known = len(measured.pca_centred) - 1
    sizes = sorted({*(2**k for k in range(20)), n, known} & set(range(1, known + 1)))
    rows: list[dict[str, Any]] = [
        {"method": MEAN, "n_components": None, "centred_error": float(measured.pca_centred[0])},
        *(
            {"method": "PCA", "n_components": size, "centred_error": float(measured.pca_centred[size])}
            for size in sizes
        ),
    ]
    error, said = pca_structures_error(structures, pca, min(n, known))
    if error is not None:
        rows.append({"method": "PCA", "n_components": min(n, known), "structure_centred_error": error})
    rows.append(
        {
            "method": "matvae",
            "n_components": n,
            "centred_error": measured.decoded,
            "structure_centred_error": measured.structure,
        }
    )
    return rows, f"{note} {said}"


def pca_structures_error(structures: Structures, pca: TwoPointPCA, n_components: int) -> tuple[float | None, str]:
    """Centred error of the structures made of scores, of a few structures; and what was done, in words."""
    most = min(PCA_MOST, PCA_VOXELS // structures.grid.n_voxels, len(structures))
    if structures.grid.phases == 1:
        return None, "No structures were made of scores, since these are continuous fields."
    if most < PCA_LEAST:
        return None, "No structures were made of scores, which takes long for structures of this size."
    few = copy.copy(pca)
    few.components_ = pca.components_[:n_components]
    block = structures.data[spread(len(structures), most)].compute()
    try:
        made = few.inverse_transform(few.transform(block), random_state=0)
    except InputError as error:
        return None, f"No structures could be made of scores: {error}"
    scatter, sharp = Scatter(), StatisticsError()
    f = np.asarray(few.statistics(block))
    scatter.add(f)
    sharp.add(f, np.asarray(few.statistics(np.asarray(made))))
    error_of_set = sharp.summary(scatter)["centred_error"]
    return error_of_set, (
        f"Structures were made of {n_components} scores by phase retrieval, for {most} of the structures; their error "
        "is known less well than that of matvae."
    )


def example_parts(estimator: Any, structures: Structures, numbers: np.ndarray) -> Examples:
    """Structures spread over the set, what comes back of them, and more realizations of their latents."""
    places = spread(len(structures), EXAMPLES)
    originals = structures.data[places].compute()
    z = estimator.transform(originals)
    made = np.asarray(estimator.inverse_transform(z))
    f, g = (np.asarray(estimator.statistics(x)) for x in (originals, made))
    drawn = np.asarray(estimator.inverse_transform(z[:QUERIES], n_realizations=REALIZATIONS, random_state=0))
    others = np.asarray(estimator.statistics(drawn.reshape(-1, *originals.shape[1:])))
    errors = relative_error(np.repeat(f[:QUERIES], REALIZATIONS, axis=0), others)
    return Examples(
        numbers=numbers[places],
        originals=originals,
        reconstructions=made,
        statistics=f,
        reconstructed_statistics=g,
        errors=np.asarray(relative_error(f, g)),
        realizations=drawn,
        realization_errors=np.asarray(errors).reshape(-1, REALIZATIONS),
    )


def similar_parts(
    estimator: Any, structures: Structures, training: Structures | None, done: Done
) -> tuple[dict[str, Neighbours], str]:
    """Neighbours of the first examples by voxels and by statistics, and where they were sought, in words."""
    if training is None:
        return {}, "No training structures were given to look among. Name them with --train."
    queries = structures.data[spread(len(structures), EXAMPLES)[:QUERIES]].compute()
    made = np.asarray(estimator.inverse_transform(estimator.transform(queries)))
    features: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "image": lambda block: phase_fields(block, estimator.grid_.phases),
        "statistics": lambda block: np.asarray(estimator.statistics(block)),
    }
    among, numbers = choose(training, SEARCHED)
    k = min(NEIGHBOURS, len(among))
    searches = {name: Nearest(queries, k, features=feature) for name, feature in features.items()}
    for start, block in sample_blocks(among.data, block_size(estimator, among)):
        for search in searches.values():
            search.add(block, start)
        done(start + len(block))
    return {
        name: Neighbours(
            numbers[search.index],
            search.distance,
            search.structures,
            mean_squares(features[name](queries), features[name](made)),
        )
        for name, search in searches.items()
    }, f"Sought among {len(among)} of {len(training)} training structures."


def walk_parts(estimator: Any, latents: np.ndarray) -> Traversal:
    """Structures along the components that vary most, from the middle of the data."""
    middle, deviation = np.median(latents, axis=0), latents.std(axis=0)
    order = np.argsort(-deviation, kind="stable")[:WALKS]
    z = np.tile(middle, (len(order), len(STEPS), 1))
    for row, component in enumerate(order):
        z[row, :, component] += STEPS * deviation[component]
    made = np.asarray(estimator.inverse_transform(z.reshape(-1, latents.shape[1]).astype(latents.dtype)))
    f = np.asarray(estimator.statistics(made))[..., 0]
    shape = (len(order), len(STEPS))
    return Traversal(order, STEPS, made.reshape(*shape, *made.shape[1:]), f.reshape(*shape, *f.shape[1:]))


def candidate_parts(estimator: Any, designed: Structures, name: str, model: str) -> Candidates:
    """Candidates of a design, with the latents that the store has of them where it is one of this model."""
    few = designed[: min(MOST_CANDIDATES, len(designed))]
    if len(few) < len(designed):
        logger.info("Of %d candidates the first %d are shown.", len(designed), len(few))
    block = few.data.compute()
    names = [f"latent_{i}" for i in range(estimator.n_components)]
    if few.attributes.get("model") == model and set(names) <= set(few.properties):
        latents = np.column_stack([few.properties[name] for name in names])
    else:
        latents = np.asarray(estimator.transform(block))
    reasons, region = few.attributes.get("reasons"), few.attributes.get("region")
    if not isinstance(reasons, list) or len(reasons) != len(designed):
        reasons = []
    return Candidates(
        name=name,
        structures=block,
        latents=latents,
        properties={key: values for key, values in few.properties.items() if not key.startswith("latent_")},
        units=dict(few.units),
        reasons=[None if reason is None else str(reason) for reason in reasons[: len(few)]],
        region="" if region is None else str(region),
    )
