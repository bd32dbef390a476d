"""The training structures most similar to those of a test, and whether a model comes closer than they do."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Structures
from ..data.sample_blocks import Progress, sample_blocks
from ..errors import InputError
from ..evaluate import Nearest

logger = logging.getLogger("matvae")
# As many as the paper looks at; fewer where their statistics would take more than so many blocks.
MOST_QUERIES, QUERY_BLOCKS = 100, 4


def spread(n: int, most: int) -> np.ndarray:
    """At most `most` numbers below `n`, spread evenly: a set may be sorted by material."""
    return np.unique(np.linspace(0, n - 1, most).round().astype(int)) if n > most else np.arange(n)


def check_nearest(k: int, candidates: str | Path | None, train: str | Path | None) -> str | Path | None:
    """Path of the structures among which to search; None where nothing is sought.

    Raises
    ------
    InputError
        If there is no such path, or candidates are given for no search.
    """
    if k < 0:
        raise InputError(f"nearest is a number of neighbours, 0 for none, but {k} was given.")
    if k == 0 and candidates is not None:
        raise InputError(
            "candidates are structures to find neighbours among, but none are asked for. Say how many with --nearest "
            "(nearest=3)."
        )
    source = train if candidates is None else candidates
    if k > 0 and source is None:
        raise InputError(
            "Neighbours are sought among training structures, but none were given. Name them with --train, or with "
            "--candidates where no baselines are wanted."
        )
    return source if k > 0 else None


def check_enough(k: int, candidates: Structures, source: str | Path | None) -> None:
    """Refuse to look for more neighbours than there are candidates.

    Raises
    ------
    InputError
        If there are not so many.
    """
    if k > len(candidates):
        raise InputError(
            f"{source} holds {len(candidates)} structures, but nearest={k} were asked for. Ask for fewer neighbours."
        )


def nearest_structures(
    estimator: Any, structures: Structures, candidates: Structures, k: int, size: int, progress: Progress
) -> list[dict[str, Any]]:
    """Neighbours of structures by their voxels and by their 2-point statistics, beside their reconstructions.

    Parameters
    ----------
    estimator : fitted estimator
    structures : Structures
        Of these at most 100 are taken, spread over the set.
    candidates : Structures
        Read once, `size` at a time.
    k : int
        Neighbours a structure.
    size : int
        Samples a block.
    progress : callable
        Called with the number of candidates done and their total.

    Returns
    -------
    list of dict
        One a structure: ``sample``, its number; ``by_image`` and ``by_statistics``, the neighbours, nearest first, each
        with ``sample``, its number among the candidates, and ``mse``, the mean squared difference over voxels or over
        lags and correlations; and ``reconstruction`` with ``image_mse`` and ``statistics_mse``, those of what the model
        makes of the structure.
    """
    chosen = spread(len(structures), min(MOST_QUERIES, QUERY_BLOCKS * size))
    if len(chosen) < len(structures):
        logger.info("Neighbours are sought of %d of the structures, spread over the set.", len(chosen))
    queries = structures.data[chosen].compute()
    made = np.asarray(estimator.inverse_transform(estimator.transform(queries)))

    def voxels(block: np.ndarray) -> np.ndarray:
        return phase_fields(block, estimator.grid_.phases)

    def statistics(block: np.ndarray) -> np.ndarray:
        return np.asarray(estimator.statistics(block))

    searches = {"image": Nearest(queries, k, features=voxels), "statistics": Nearest(queries, k, features=statistics)}
    for start, block in sample_blocks(candidates.data, size):
        for search in searches.values():
            search.add(block, start)
        progress(start + len(block), len(candidates))
    own = {
        "image_mse": mean_squares(voxels(queries), voxels(made)),
        "statistics_mse": mean_squares(statistics(queries), statistics(made)),
    }
    return [
        {
            "sample": int(sample),
            **{f"by_{kind}": _neighbours(search, row) for kind, search in searches.items()},
            "reconstruction": {name: float(values[row]) for name, values in own.items()},
        }
        for row, sample in enumerate(chosen)
    ]


def warn_of_copies(found: list[dict[str, Any]], data: str | Path, source: str | Path | None) -> None:
    """Say so where a structure is among the candidates itself: a test with it measures memory."""
    copies = sum(one["by_image"][0]["mse"] == 0 for one in found)
    if copies:
        logger.warning(
            "%d of %d structures of %s are in %s, too, voxel by voxel: a model fitted on these has seen them.",
            copies,
            len(found),
            data,
            source,
        )


def phase_fields(block: np.ndarray, phases: int) -> np.ndarray:
    """What voxels are compared by: a field, or labels of two phases, as they are; of more, one indicator a phase.

    Labels are names, not amounts: phase 2 is no nearer to phase 1 than to phase 0. Averaged over voxels and phases, the
    squares of indicators of two phases differ as their labels do.
    """
    if phases <= 2:
        return block
    return np.stack([block == phase for phase in range(phases)], axis=1).astype(np.uint8)


def mean_squares(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Mean squared difference of each sample, ``(sample,)``."""
    pairs = zip(one, other, strict=True)
    return np.array([float(np.square(a.astype(np.float64) - b).mean()) for a, b in pairs])


def _neighbours(search: Nearest, row: int) -> list[dict[str, Any]]:
    pairs = zip(search.index[row].tolist(), search.distance[row].tolist(), strict=True)
    return [{"sample": index, "mse": distance} for index, distance in pairs]
