"""Cases of statistics to compare with PyMKS, here and in the oracle's environment; does not import matvae."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Case:
    """Structures and the options of their statistics.

    ``mask`` is None, "binary" (0 and 1) or "weights" (0 to 1); ``values`` is "labels" or "fractions".
    """

    space: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...] = ((0, 0), (0, 1), (1, 2))
    periodic: bool = True
    cutoff: int | None = None
    mask: str | None = None
    values: str = "labels"

    @property
    def name(self) -> str:
        """Name of the case in reports and in the oracle's file."""
        size = "x".join(str(n) for n in self.space)
        boundary = "periodic" if self.periodic else "window"
        return f"{size}-{boundary}-cutoff{self.cutoff}-mask{self.mask}-{self.values}"

    def states(self) -> np.ndarray:
        """Return discretised structures ``(sample, *space, state)`` of three states, float64."""
        rng = np.random.default_rng(len(self.name))
        if self.values == "fractions":
            weights = rng.random((3, *self.space, 3))
            return weights / weights.sum(-1, keepdims=True)
        return np.eye(3)[(3 * rng.random((3, *self.space))).astype(int)]

    def weights(self) -> np.ndarray | None:
        """Return a mask ``(sample, *space)`` that leaves voxel pairs at every lag that PyMKS keeps."""
        if self.mask is None:
            return None
        weights = np.random.default_rng(7).random((3, *self.space))
        return (weights > 0.2).astype(float) if self.mask == "binary" else 0.2 + 0.8 * weights

    @property
    def lag_cutoff(self) -> int:
        """Cutoff that PyMKS 0.4.1 actually uses, at most that of the smallest axis if periodic."""
        largest = (min(self.space) - 1) // 2
        return largest if self.cutoff is None else min(self.cutoff, largest)


SPACES = [(9,), (12,), (7, 7), (8, 8), (9, 6), (6, 11), (5, 5, 5), (4, 6, 5)]

CASES = [
    *[Case(space, periodic=periodic) for space in SPACES for periodic in (True, False)],
    *[Case(space, periodic=periodic, cutoff=1) for space in SPACES for periodic in (True, False)],
    *[
        Case(space, periodic=periodic, mask=mask)
        for space in [(12,), (8, 8), (9, 6), (4, 6, 5)]
        for periodic in (True, False)
        for mask in ("binary", "weights")
    ],
    *[
        Case(space, periodic=periodic, values="fractions")
        for space in [(8, 7), (5, 4, 6)]
        for periodic in (True, False)
    ],
    Case((10, 9), periodic=False, cutoff=2, mask="weights", values="fractions"),
    Case((8, 8), cutoff=100),
    Case((8, 7), pairs=((2, 1), (1, 2), (2, 2)), values="fractions", cutoff=2),
]


def pymks_statistics(case: Case) -> np.ndarray:
    """Compute statistics ``(sample, *lag, correlation)`` with PyMKS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pymks import two_point_stats

    states = case.states()
    options = {"periodic_boundary": case.periodic, "cutoff": case.cutoff, "mask": case.weights()}
    return np.stack([two_point_stats(states[..., i], states[..., j], **options) for i, j in case.pairs], axis=-1)
