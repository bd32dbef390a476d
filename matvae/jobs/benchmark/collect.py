"""Collect what the page of a benchmark shows: examples, their neighbours in the training set, walks in the latent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...data import Structures
from ...data.sample_blocks import Progress
from ...data.subsets import select
from ...evaluate.measure import round_trip
from ...evaluate.neighbours import find_neighbours
from ...evaluate.walks import walk
from ...report import BenchmarkParts, Example, Neighbours, Traversal
from .measure import LineMeasurement

RANDOM_EXAMPLES = 3
N_NEIGHBOURS = 3
WALK_COMPONENTS = 5
WALK_STEPS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
# Voxels of the training structures that are searched for neighbours: some seconds for each 2**26.
SEARCHED_VOXELS = 1 << 28


def collect_parts(
    estimator: Any,
    training: Structures,
    test: Structures,
    measured: LineMeasurement,
    *,
    progress: Progress | None = None,
) -> BenchmarkParts:
    """Collect everything the page shows, from the held-out structures and their measurement.

    Parameters
    ----------
    estimator : StatsVAETransformer
        Fitted.
    training, test : Structures
    measured : LineMeasurement
        Of `test`.
    progress : callable, optional
        Called with the number of training structures searched and their total.

    Returns
    -------
    BenchmarkParts
    """
    latents, volume_fractions = measured.measurement.latents, measured.measurement.volume_fractions
    examples = _examples(estimator, test, measured)
    # The first example of each number of lines.
    queries = list({example.lines: example for example in reversed(examples)}.values())[::-1]
    along = walk(estimator, latents, steps=WALK_STEPS, n_components=WALK_COMPONENTS)
    return BenchmarkParts(
        examples=examples,
        neighbours=_neighbours(estimator, training, queries, progress),
        queries=queries,
        traversal=Traversal(along.components, along.steps, along.structures),
        latents=latents,
        lines=measured.lines.numbers[0].sum(axis=1),
        fractions=volume_fractions[..., 0].T,
        means=measured.means,
        history=estimator.history_,
    )


def n_searched(training: Structures) -> int:
    """Number of training structures, from the first on, that are searched for neighbours."""
    return min(len(training), max(1, SEARCHED_VOXELS // math.prod(training.grid.shape)))


def choose_examples(measured: LineMeasurement) -> list[tuple[int, str]]:
    """Indices in the held-out set and why they are shown: for each number of lines the first, the best and the worst.

    The first samples of a set that was drawn at random are random themselves.
    """
    n_lines, errors = measured.lines.numbers[0].sum(axis=1), measured.measurement.errors
    chosen = []
    for n in np.unique(n_lines):
        group = np.flatnonzero(n_lines == n)
        order = group[np.argsort(errors[group], kind="stable")]
        chosen += [(int(index), "drawn at random") for index in group[:RANDOM_EXAMPLES]]
        chosen += [(int(order[0]), "smallest error"), (int(order[-1]), "largest error")]
    return chosen


def _examples(estimator: Any, test: Structures, measured: LineMeasurement) -> list[Example]:
    chosen = choose_examples(measured)
    # Each sample is read once, even if it is shown for two reasons.
    indices, rows = np.unique([index for index, _ in chosen], return_inverse=True)
    trip = round_trip(estimator, select(test, indices).data.compute(), decode=False)
    true, counted = measured.lines.numbers
    return [
        Example(
            number=index,
            choice=choice,
            original=trip.structures[row],
            reconstruction=trip.reconstructions[row],
            statistics=trip.statistics[row, ..., 0],
            reconstructed_statistics=trip.reconstructed_statistics[row, ..., 0],
            latent=trip.latents[row],
            error=float(measured.measurement.errors[index]),
            original_lines=_pair(true[index]),
            reconstruction_lines=_pair(counted[index]),
        )
        for (index, choice), row in zip(chosen, rows, strict=True)
    ]


def _pair(numbers: np.ndarray) -> tuple[int, int]:
    return int(numbers[0]), int(numbers[1])


def _neighbours(
    estimator: Any, training: Structures, queries: list[Example], progress: Progress | None
) -> dict[tuple[str, str], Neighbours]:
    images = {
        "original": [example.original for example in queries],
        "reconstruction": [example.reconstruction for example in queries],
    }
    candidates = training[: n_searched(training)]
    k = min(N_NEIGHBOURS, len(candidates))
    # One search for both, as the statistics of the candidates take most of the time.
    searches = find_neighbours(estimator, np.concatenate(list(images.values())), candidates, k, progress=progress)
    neighbours = {}
    for position, kind in enumerate(images):
        part = slice(position * len(queries), (position + 1) * len(queries))
        for by, search in searches.items():
            neighbours[kind, by] = Neighbours(search.index[part], search.distance[part], search.structures[part])
    return neighbours
