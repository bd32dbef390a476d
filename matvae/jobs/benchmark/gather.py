"""Choose what the page of a benchmark shows: examples, their neighbours in the training set, a walk in the latent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...data import Structures
from ...data.sample_blocks import Progress, sample_blocks
from ...evaluate import Nearest
from ...report import BenchmarkParts, Example, Neighbours, Traversal
from ..measure import block_size
from .measure import Measured

RANDOM_EXAMPLES = 3
N_NEIGHBOURS = 3
WALK_COMPONENTS = 5
WALK_STEPS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
# Training structures whose neighbourhood is searched: some seconds for each 2**26 voxels.
SEARCHED_VOXELS = 1 << 28


def gather_parts(
    estimator: Any, training: Structures, test: Structures, measured: Measured, *, progress: Progress | None = None
) -> BenchmarkParts:
    """Everything the page shows, from the held-out structures and their measurements.

    Parameters
    ----------
    estimator : StatsVAETransformer
        Fitted.
    training, test : Structures
    measured : Measured
        Of `test`.
    progress : callable, optional
        Called with the number of training structures searched and their total.

    Returns
    -------
    BenchmarkParts
    """
    examples = _examples(estimator, test, measured)
    queries = list({example.lines: example for example in reversed(examples)}.values())[::-1]
    return BenchmarkParts(
        examples=examples,
        neighbours=_neighbours(estimator, training, queries, progress),
        queries=queries,
        traversal=_walk(estimator, measured.latents),
        latents=measured.latents,
        lines=measured.true.sum(1),
        fractions=measured.fractions,
        means=measured.means,
        history=estimator.history_,
    )


def n_searched(training: Structures) -> int:
    """How many training structures, from the first on, are searched for neighbours."""
    return min(len(training), max(1, SEARCHED_VOXELS // math.prod(training.grid.shape)))


def choose(measured: Measured) -> list[tuple[int, str]]:
    """Places in the held-out set and why they are shown: for each number of lines the first, the best and the worst.

    The first of a set that was drawn at random are random themselves.
    """
    lines = measured.true.sum(1)
    chosen = []
    for n in np.unique(lines):
        here = np.flatnonzero(lines == n)
        order = here[np.argsort(measured.errors[here], kind="stable")]
        chosen += [(int(i), "drawn at random") for i in here[:RANDOM_EXAMPLES]]
        chosen += [(int(order[0]), "smallest error"), (int(order[-1]), "largest error")]
    return chosen


def _examples(estimator: Any, test: Structures, measured: Measured) -> list[Example]:
    chosen = choose(measured)
    places = np.array([i for i, _ in chosen])
    # Of a lazy array only what is needed is read, each sample once.
    unique, back = np.unique(places, return_inverse=True)
    originals = np.asarray(test.data[unique].compute())
    z = measured.latents[unique]
    made = np.asarray(estimator.inverse_transform(z, random_state=0))
    f, g = (np.asarray(estimator.statistics(images))[..., 0] for images in (originals, made))
    return [
        Example(
            number=i,
            choice=choice,
            original=originals[k],
            reconstruction=made[k],
            statistics=f[k],
            reconstructed_statistics=g[k],
            latent=z[k],
            error=float(measured.errors[i]),
            original_lines=_pair(measured.true[i]),
            reconstruction_lines=_pair(measured.found[i]),
        )
        for (i, choice), k in zip(chosen, back, strict=True)
    ]


def _pair(numbers: np.ndarray) -> tuple[int, int]:
    return int(numbers[0]), int(numbers[1])


def _neighbours(
    estimator: Any, training: Structures, queries: list[Example], progress: Progress | None
) -> dict[tuple[str, str], Neighbours]:
    wanted = {
        "original": np.stack([example.original for example in queries]),
        "reconstruction": np.stack([example.reconstruction for example in queries]),
    }
    both = np.concatenate(list(wanted.values()))
    searched = training[: n_searched(training)]
    k = min(N_NEIGHBOURS, len(searched))
    searches = {"image": Nearest(both, k), "statistics": Nearest(both, k, features=estimator.statistics)}
    for start, block in sample_blocks(searched.data, block_size(estimator, searched)):
        for search in searches.values():
            search.add(block, start)
        if progress is not None:
            progress(start + len(block), len(searched))
    found = {}
    for first, kind in enumerate(wanted):
        part = slice(first * len(queries), (first + 1) * len(queries))
        for by, search in searches.items():
            found[kind, by] = Neighbours(search.index[part], search.distance[part], search.structures[part])
    return found


def _walk(estimator: Any, latents: np.ndarray) -> Traversal:
    """Structures along the components that vary most, from the latent of a real structure nearest to the median."""
    spread = latents.std(0)
    scaled = (latents - np.median(latents, axis=0)) / np.maximum(spread, 1e-12)
    middle = latents[np.square(scaled).sum(1).argmin()]
    components = np.argsort(-spread, kind="stable")[:WALK_COMPONENTS]
    z = np.tile(middle, (len(components), len(WALK_STEPS), 1))
    for row, component in enumerate(components):
        z[row, :, component] += np.array(WALK_STEPS, dtype=z.dtype) * spread[component]
    made = np.asarray(estimator.inverse_transform(z.reshape(-1, z.shape[-1]), random_state=0))
    return Traversal(components, np.array(WALK_STEPS), made.reshape(*z.shape[:2], *made.shape[1:]))
