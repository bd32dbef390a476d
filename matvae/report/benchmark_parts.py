"""What the page of a benchmark shows besides its tables: chosen structures, their neighbours, latents, history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Example:
    """One held-out structure and what became of it.

    Parameters
    ----------
    number : int
        Its place in the held-out set.
    choice : str
        Why it is shown: ``"drawn at random"``.
    original, reconstruction : array ``(y, x)``
    statistics, reconstructed_statistics : array ``(*lag)``
        Autocorrelations of both.
    latent : array ``(component,)``
    error : float
        Relative error of the statistics.
    true, found : (int, int)
        Horizontal and vertical lines of both.
    """

    number: int
    choice: str
    original: np.ndarray
    reconstruction: np.ndarray
    statistics: np.ndarray
    reconstructed_statistics: np.ndarray
    latent: np.ndarray
    error: float
    true: tuple[int, int]
    found: tuple[int, int]

    @property
    def lines(self) -> int:
        """Lines of the original."""
        return sum(self.true)


@dataclass(frozen=True)
class Neighbours:
    """Training structures most similar to some structures.

    Parameters
    ----------
    numbers : array of int ``(query, k)``
        Their places in the training set, nearest first.
    distances : array ``(query, k)``
        Mean squared differences.
    structures : array ``(query, k, y, x)``
    """

    numbers: np.ndarray
    distances: np.ndarray
    structures: np.ndarray


@dataclass(frozen=True)
class BenchmarkParts:
    """All of it.

    Parameters
    ----------
    examples : sequence of Example
        Some for each number of lines, the random ones first.
    neighbours : mapping of (str, str) to Neighbours
        Of ``"original"`` and ``"reconstruction"`` by ``"image"`` and ``"statistics"``, for `queries`.
    queries : sequence of Example
        Whose neighbours these are.
    walk : array ``(component, step, y, x)``
        Structures along components.
    walk_components, walk_steps : array
        Which components, the one that varies most first, and how far: in standard deviations from the middle.
    latents : array ``(sample, component)``
    lines : array of int ``(sample,)``
        True numbers of lines.
    fractions : array ``(sample, 2)``
        Volume fractions of originals and reconstructions.
    means : mapping of str to array ``(y, x)``
        Mean ``original`` and ``reconstruction``, and ``registered``, of reconstructions moved onto their originals.
    history : sequence of dict
        Training records.
    """

    examples: Sequence[Example]
    neighbours: Mapping[tuple[str, str], Neighbours]
    queries: Sequence[Example]
    walk: np.ndarray
    walk_components: np.ndarray
    walk_steps: np.ndarray
    latents: np.ndarray
    lines: np.ndarray
    fractions: np.ndarray
    means: Mapping[str, np.ndarray]
    history: Sequence[Mapping[str, Any]]
