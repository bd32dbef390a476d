"""The most similar of very many structures, found block by block: is a structure new, or was it seen in training?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..data import Structures
from ..data.sample_blocks import Progress, sample_blocks
from ..errors import InputError
from .measure import block_size

Features = Callable[[np.ndarray], Any]

# This many products are summed in float32, and the sums in float64: sums of labels are exact, and others are off by at
# most ROUNDING times the norms of the two vectors, however long these are. (n products summed in any order: n unit
# roundoffs; Higham, "Accuracy and stability of numerical algorithms" (2002), section 3.1. Squared distances contain the
# product twice, and a further factor of two covers the cast to float32.)
PIECE = 4096
ROUNDING = 4 * PIECE * 2.0**-24


class _Neighbour(NamedTuple):
    """A candidate that is kept; sorted by distance, the earlier first among equal distances."""

    distance: float
    number: int
    structure: np.ndarray


class Nearest:
    """The `k` candidates most similar to each query, by mean squared difference.

    Candidates are added in blocks and forgotten, except for the nearest. Products of float32 matrices tell which few
    candidates of a block can be among the nearest; the distances of these are then computed in float64, one by one. The
    result therefore equals that of comparing every pair, and does not depend on the blocks.

    Parameters
    ----------
    queries : array ``(query, *space)``
        Structures to find neighbours of.
    k : int
        Neighbours per query.
    features : callable, optional
        Maps structures ``(sample, *space)`` to what is compared, ``(sample, ...)``, for example
        ``estimator.statistics``. By default the values themselves are compared: for labels of two phases the distance
        is then the fraction of voxels that differ.

    Attributes
    ----------
    n_candidates : int
        Candidates added so far.

    Raises
    ------
    InputError
        If there are no queries, or `k` is less than one.
    """

    def __init__(self, queries: np.ndarray, k: int, *, features: Features | None = None) -> None:
        queries = np.asarray(queries)
        if queries.ndim < 2 or len(queries) == 0:
            raise InputError(f"Structures (query, *space) are expected, but the shape {queries.shape} was given.")
        self.k = validate.integer("k", k, 1)
        self.n_candidates = 0
        self._shape = queries.shape[1:]
        self._features = features
        self._queries = self._vectors(queries)
        self._squares = _squares(self._queries)
        self._kept: list[list[_Neighbour]] = [[] for _ in queries]

    def add(self, block: np.ndarray, first_index: int) -> None:
        """Compare the next candidates.

        Parameters
        ----------
        block : array ``(sample, *space)``
            Structures of the queries' shape.
        first_index : int
            Index of the first of them in its set.

        Raises
        ------
        InputError
            If the shape differs, or values are not finite.
        """
        block = np.asarray(block)
        if block.shape[1:] != self._shape:
            raise InputError(
                f"Structures of shape {self._shape} are expected, as the queries have, but {block.shape[1:]} was given."
            )
        if len(block) == 0:
            return
        vectors = self._vectors(block)
        low, high = self._bounds(vectors)
        for query, kept in enumerate(self._kept):
            # The k-th smallest upper bound is an upper bound of the k-th smallest distance.
            bounds = np.concatenate([[neighbour.distance for neighbour in kept], high[query]])
            limit = np.partition(bounds, self.k - 1)[self.k - 1] if len(bounds) > self.k else np.inf
            vector = self._queries[query].astype(np.float64)
            close = [
                _Neighbour(float(np.square(vector - vectors[row]).mean()), first_index + int(row), block[row].copy())
                for row in np.flatnonzero(low[query] <= limit)
            ]
            self._kept[query] = sorted([*kept, *close], key=lambda neighbour: neighbour[:2])[: self.k]
        self.n_candidates += len(block)

    @property
    def index(self) -> np.ndarray:
        """Indices of the neighbours in their set, nearest first, ``(query, min(k, n_candidates))``."""
        return np.array([[neighbour.number for neighbour in kept] for kept in self._kept], dtype=np.int64)

    @property
    def distance(self) -> np.ndarray:
        """Mean squared differences from the neighbours, ``(query, k)``; among equal ones the earlier comes first."""
        return np.array([[neighbour.distance for neighbour in kept] for kept in self._kept], dtype=np.float64)

    @property
    def structures(self) -> np.ndarray:
        """The neighbours themselves, ``(query, k, *space)``."""
        n = min(self.k, self.n_candidates)
        structures = [neighbour.structure for kept in self._kept for neighbour in kept]
        return np.reshape(structures, (len(self._kept), n, *self._shape))

    def _vectors(self, block: np.ndarray) -> np.ndarray:
        values = block if self._features is None else np.asarray(self._features(block))
        return values.reshape(len(block), -1)

    def _bounds(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds ``(query, sample)`` of mean squared differences."""
        n = vectors.shape[1]
        products = np.zeros((len(self._queries), len(vectors)))
        for start in range(0, n, PIECE):
            piece = slice(start, start + PIECE)
            products += self._queries[:, piece].astype(np.float32) @ vectors[:, piece].astype(np.float32).T
        squares = _squares(vectors)
        estimate = self._squares[:, None] + squares - 2 * products
        rounding = ROUNDING * np.sqrt(self._squares[:, None] * squares)
        return (estimate - rounding) / n, (estimate + rounding) / n


def find_neighbours(
    estimator: Any, queries: np.ndarray, candidates: Structures, k: int, *, progress: Progress | None = None
) -> dict[str, Nearest]:
    """Find the structures most similar to queries, by their voxels and by their 2-point statistics.

    Parameters
    ----------
    estimator : fitted estimator
        With `statistics`.
    queries : array ``(query, *space)``
    candidates : Structures
        Read once, block by block.
    k : int
        Neighbours per query.
    progress : callable, optional
        Called with the number of candidates done and their total.

    Returns
    -------
    dict of str to Nearest
        ``"image"`` and ``"statistics"``, by the features of `similarity_features`.
    """
    searches = {name: Nearest(queries, k, features=features) for name, features in similarity_features(estimator)}
    for start, block in sample_blocks(candidates.data, block_size(estimator)):
        for search in searches.values():
            search.add(block, start)
        if progress is not None:
            progress(start + len(block), len(candidates))
    return searches


def distances_between(estimator: Any, structures: np.ndarray, others: np.ndarray) -> dict[str, np.ndarray]:
    """Mean squared differences ``(sample,)`` of pairs of structures, by the features of `similarity_features`."""
    return {
        name: mean_squared_difference(np.asarray(features(structures)), np.asarray(features(others)))
        for name, features in similarity_features(estimator)
    }


def similarity_features(estimator: Any) -> list[tuple[str, Features]]:
    """Features by which structures are compared: voxels (``"image"``) and 2-point statistics (``"statistics"``)."""
    phases = estimator.grid_.phases
    return [("image", lambda structures: phase_fields(structures, phases)), ("statistics", estimator.statistics)]


def phase_fields(structures: np.ndarray, phases: int) -> np.ndarray:
    """Fields by which voxels are compared: a field or labels of two phases unchanged, else one indicator per phase.

    Labels are names, not amounts: phase 2 is no nearer to phase 1 than to phase 0. For two phases, the squared
    differences of indicators, averaged over voxels and phases, equal those of the labels.
    """
    if phases <= 2:
        return structures
    return np.stack([structures == phase for phase in range(phases)], axis=1).astype(np.uint8)


def mean_squared_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean squared difference of each pair of samples, ``(sample,)``."""
    return np.array([float(np.square(x.astype(np.float64) - y).mean()) for x, y in zip(a, b, strict=True)])


def _squares(vectors: np.ndarray) -> np.ndarray:
    """Squared norms ``(sample,)`` in float64."""
    squares = np.array([float(np.square(vector, dtype=np.float64).sum()) for vector in vectors])
    if not np.isfinite(squares).all():
        raise InputError("Values to compare must be finite, but some are NaN or infinite. Remove these structures.")
    return squares
