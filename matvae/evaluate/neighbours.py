"""The most similar of very many structures, found block by block: is a structure new, or one seen in training?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError

Features = Callable[[np.ndarray], Any]

# Products of this many values are summed in float32, and these sums in float64: sums of labels are exact, and others
# are off by no more than ROUNDING times the lengths of the two vectors, however long these are. (n products summed in
# any order: n unit roundoffs; Higham, "Accuracy and stability of numerical algorithms" (2002), section 3.1. Squared
# distances have the product twice, and a further factor two covers what is cast to float32.)
PIECE = 4096
ROUNDING = 4 * PIECE * 2.0**-24


class _Neighbour(NamedTuple):
    """What is kept of a candidate; sorted by distance, of equal distances the earlier first."""

    distance: float
    number: int
    structure: np.ndarray


class Nearest:
    """The `k` candidates most similar to each of some structures, by mean squared difference.

    Candidates are added in blocks and forgotten, except for the nearest. Products of float32 matrices tell which few
    candidates of a block can be among the nearest; their distances are then computed in float64, one by one. So the
    result is that of comparing every pair, and does not depend on the blocks.

    Parameters
    ----------
    queries : array ``(query, *space)``
        Structures to find neighbours of.
    k : int
        Neighbours a query.
    features : callable, optional
        Takes structures ``(sample, *space)`` and gives what is compared, ``(sample, ...)``, such as
        ``estimator.statistics``. By default the values themselves are: for labels of two phases the distance is then
        the share of voxels that differ.

    Attributes
    ----------
    n_candidates : int
        Candidates added so far.

    Raises
    ------
    InputError
        If there is no query, or `k` is less than one.
    """

    def __init__(self, queries: np.ndarray, k: int, *, features: Features | None = None) -> None:
        queries = np.asarray(queries)
        if queries.ndim < 2 or len(queries) == 0:
            raise InputError(f"Structures (query, *space) are expected, but the shape {queries.shape} was given.")
        if k < 1:
            raise InputError(f"k must be at least one neighbour a query, but {k} was given.")
        self.k = k
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
            Number of the first of them in its set.

        Raises
        ------
        InputError
            If the shape is another, or values are not finite.
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
            # The k-th best of upper bounds is one for the k-th best distance, too.
            known = np.concatenate([[one.distance for one in kept], high[query]])
            limit = np.partition(known, self.k - 1)[self.k - 1] if len(known) > self.k else np.inf
            vector = self._queries[query].astype(np.float64)
            found = [
                _Neighbour(float(np.square(vector - vectors[row]).mean()), first_index + int(row), block[row].copy())
                for row in np.flatnonzero(low[query] <= limit)
            ]
            self._kept[query] = sorted([*kept, *found], key=lambda one: (one.distance, one.number))[: self.k]
        self.n_candidates += len(block)

    @property
    def index(self) -> np.ndarray:
        """Numbers of the neighbours in their set, nearest first, ``(query, k)``; fewer where there are no more."""
        return np.array([[one.number for one in kept] for kept in self._kept], dtype=np.int64)

    @property
    def distance(self) -> np.ndarray:
        """Mean squared differences from the neighbours, ``(query, k)``; of equal ones the earlier comes first."""
        return np.array([[one.distance for one in kept] for kept in self._kept], dtype=np.float64)

    @property
    def structures(self) -> np.ndarray:
        """The neighbours themselves, ``(query, k, *space)``."""
        n = min(self.k, self.n_candidates)
        found = [one.structure for kept in self._kept for one in kept]
        return np.reshape(found, (len(self._kept), n, *self._shape))

    def _vectors(self, block: np.ndarray) -> np.ndarray:
        values = block if self._features is None else np.asarray(self._features(block))
        return values.reshape(len(block), -1)

    def _bounds(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds ``(query, sample)`` of mean squared differences."""
        n = vectors.shape[1]
        products = np.zeros((len(self._queries), len(vectors)))
        for start in range(0, n, PIECE):
            one, other = (array[:, start : start + PIECE].astype(np.float32) for array in (self._queries, vectors))
            products += one @ other.T
        squares = _squares(vectors)
        middle = self._squares[:, None] + squares - 2 * products
        rounding = ROUNDING * np.sqrt(self._squares[:, None] * squares)
        return (middle - rounding) / n, (middle + rounding) / n


def _squares(vectors: np.ndarray) -> np.ndarray:
    """Squared lengths ``(sample,)`` in float64."""
    squares = np.array([float(np.square(vector, dtype=np.float64).sum()) for vector in vectors])
    if not np.isfinite(squares).all():
        raise InputError("Values to compare must be finite, but some are NaN or infinite. Remove these structures.")
    return squares
