"""Find the training structures most similar to test structures, and whether a model comes closer than these."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from .. import validate
from ..crew import ALONE, Crew
from ..data import Structures
from ..data.sample_blocks import Progress
from ..data.subsets import select, spread_indices
from ..errors import InputError
from ..evaluate.measure import block_size, round_trip
from ..evaluate.neighbours import Nearest, distances_between, find_neighbours

logger = logging.getLogger("matvae")
# The paper looks at 100; fewer where the statistics of these would fill more than QUERY_BLOCKS blocks.
MOST_QUERIES, QUERY_BLOCKS = 100, 4


def check_nearest(k: int, candidates: str | Path | None, train: str | Path | None) -> str | Path | None:
    """Path of the structures to search; None for no search.

    Raises
    ------
    InputError
        If there is no such path, or candidates are given without a search.
    """
    if validate.integer("nearest", k, 0) == 0:
        if candidates is not None:
            raise InputError(
                "candidates are structures to find neighbours among, but no neighbours are asked for. Set their number "
                "with --nearest (nearest=3)."
            )
        return None
    source = train if candidates is None else candidates
    if source is None:
        raise InputError(
            "Neighbours are found among training structures, but none were given. Name them with --train, or with "
            "--candidates if you want no baselines."
        )
    return source


def check_enough(k: int, candidates: Structures, source: str | Path | None) -> None:
    """Refuse to find more neighbours than there are candidates.

    Raises
    ------
    InputError
        If there are fewer candidates than `k`.
    """
    if k > len(candidates):
        raise InputError(
            f"{source} holds {len(candidates)} structures, but nearest={k} were asked for. Ask for fewer neighbours."
        )


def nearest_structures(
    estimator: Any,
    structures: Structures,
    candidates: Structures,
    k: int,
    progress: Progress | None,
    crew: Crew = ALONE,
) -> list[dict[str, Any]]:
    """Neighbours of structures by their voxels and by their 2-point statistics, alongside their reconstructions.

    Parameters
    ----------
    estimator : fitted estimator
    structures : Structures
        At most 100 of these are taken, spread over the set.
    candidates : Structures
        Read once, block by block.
    k : int
        Neighbours per structure.
    progress : callable, optional
        Called with the number of candidates done and their total.
    crew : Crew
        Who reconstructs the structures; this process searches.

    Returns
    -------
    list of dict
        One per structure: ``sample``, its index; ``by_image`` and ``by_statistics``, the neighbours, nearest first,
        each with ``sample``, its index among the candidates, and ``mse``, the mean squared difference over voxels or
        over lags and correlations; and ``reconstruction`` with ``image_mse`` and ``statistics_mse``, the differences
        of the model's reconstruction of the structure.
    """
    indices = spread_indices(len(structures), min(MOST_QUERIES, QUERY_BLOCKS * block_size(estimator)))
    if len(indices) < len(structures):
        logger.info("Neighbours are found for %d of the structures, spread over the set.", len(indices))
    trip = round_trip(estimator, select(structures, indices).data.compute(), decode=False, crew=crew)
    searches = find_neighbours(estimator, trip.structures, candidates, k, progress=progress)
    own = distances_between(estimator, trip.structures, trip.reconstructions)
    return [
        {
            "sample": int(index),
            **{f"by_{kind}": _neighbours(search, row) for kind, search in searches.items()},
            "reconstruction": {f"{kind}_mse": float(distances[row]) for kind, distances in own.items()},
        }
        for row, index in enumerate(indices)
    ]


def warn_of_copies(neighbours: list[dict[str, Any]], data: str | Path, source: str | Path | None) -> None:
    """Warn where structures are among the candidates themselves, as such a test measures memory."""
    copies = sum(structure["by_image"][0]["mse"] == 0 for structure in neighbours)
    if copies:
        logger.warning(
            "%d of %d structures of %s are also in %s, voxel by voxel: a model fitted on these has seen them.",
            copies,
            len(neighbours),
            data,
            source,
        )


def _neighbours(search: Nearest, row: int) -> list[dict[str, Any]]:
    pairs = zip(search.index[row].tolist(), search.distance[row].tolist(), strict=True)
    return [{"sample": index, "mse": distance} for index, distance in pairs]
