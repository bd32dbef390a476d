"""Errors of reconstructions over a set, accumulated block by block in bounded memory."""

from __future__ import annotations

import math

import numpy as np

from ..errors import InputError
from ..shown import Shown, short_text
from ..stats import relative_error


class Scatter(Shown):
    """Sum of squared distances of statistics from their mean over a set, ``||F - mean(F)||_F^2``.

    Blocks are merged as in Chan, Golub & LeVeque, The American Statistician 37, 242 (1983), which stays
    accurate where a difference of two large sums would not.
    """

    def __init__(self) -> None:
        self.n = 0
        self.mean: np.ndarray | None = None
        self.squares = 0.0

    def shown_rows(self) -> dict[str, str]:
        """Number of samples and their scatter."""
        return {"samples": str(self.n), "sum of squared distances from the mean": short_text(self.squares)}

    def add(self, f: np.ndarray) -> None:
        """Add statistics ``(sample, *lag, correlation)``."""
        block_mean = f.mean(axis=0, dtype=np.float64)
        within = sum(float(np.square(sample - block_mean).sum()) for sample in f)
        if self.mean is None:
            self.n, self.mean, self.squares = len(f), block_mean, within
            return
        total = self.n + len(f)
        shift = block_mean - self.mean
        self.squares += within + float(np.square(shift).sum()) * self.n * len(f) / total
        self.mean = self.mean + shift * (len(f) / total)
        self.n = total


class StatisticsError(Shown):
    """Errors of approximate statistics with respect to the true ones."""

    def __init__(self) -> None:
        self._relative: list[np.ndarray] = []
        self._squares = 0.0

    def shown_rows(self) -> dict[str, str]:
        """Relative errors; `summary` adds the centred one."""
        return {"samples": str(len(self.relative)), "relative error": short_text(self.relative)}

    def add(self, f: np.ndarray, g: np.ndarray) -> None:
        """Add true and approximate statistics ``(sample, *lag, correlation)`` of the same structures.

        Raises
        ------
        InputError
            If their shapes differ.
        """
        if f.shape != g.shape:
            raise InputError(f"Statistics of equal shape are expected, but {f.shape} and {g.shape} were given.")
        self._relative.append(np.asarray(relative_error(f, g), dtype=np.float64))
        self._squares += sum(float(np.square(a.astype(np.float64) - b).sum()) for a, b in zip(f, g, strict=True))

    @property
    def relative(self) -> np.ndarray:
        """``||f - g|| / ||f||`` of every sample, ``(sample,)``."""
        return np.concatenate(self._relative) if self._relative else np.empty(0)

    def summary(self, scatter: Scatter) -> dict[str, float | None]:
        """Mean and median relative error, and the centred error of the set.

        Parameters
        ----------
        scatter : Scatter
            Of the true statistics of the same structures.

        Returns
        -------
        dict
            ``relative_error`` and ``median_relative_error`` of ``||f - g|| / ||f||``, and ``centred_error``
            ``||F - G||_F / ||F - mean(F)||_F``: 0 is exact, 1 is the error of predicting the set's own mean, and
            None means that all structures have equal statistics. All are None if nothing was added.
        """
        relative = self.relative
        if not len(relative):
            return dict.fromkeys(("relative_error", "median_relative_error", "centred_error"))
        return {
            "relative_error": float(relative.mean()),
            "median_relative_error": float(np.median(relative)),
            "centred_error": math.sqrt(self._squares / scatter.squares) if scatter.squares > 0 else None,
        }


class VolumeFractionError(Shown):
    """Relative difference in the number of voxels that are not phase 0, ``|n - n'| / n``."""

    def __init__(self) -> None:
        self._differences: list[np.ndarray] = []
        self.n_empty = 0

    def shown_rows(self) -> dict[str, str]:
        """Mean difference, and what it leaves out."""
        percent = "not defined" if self.percent is None else f"{self.percent:.3g} %"
        return {"mean relative difference": percent, "originals of phase 0 only, left out": str(self.n_empty)}

    def add(self, originals: np.ndarray, reconstructions: np.ndarray) -> None:
        """Add labels ``(sample, *space)``; originals of phase 0 only are counted in `n_empty` and left out.

        Raises
        ------
        InputError
            If the shapes differ.
        """
        if originals.shape != reconstructions.shape:
            raise InputError(
                f"Structures of equal shape are expected, but {originals.shape} and {reconstructions.shape} were given."
            )
        axes = tuple(range(1, originals.ndim))
        n = np.count_nonzero(originals, axis=axes).astype(np.float64)
        n_reconstructed = np.count_nonzero(reconstructions, axis=axes)
        occupied = n > 0
        self.n_empty += int((~occupied).sum())
        self._differences.append(np.abs(n - n_reconstructed)[occupied] / n[occupied])

    @property
    def percent(self) -> float | None:
        """Mean difference in percent; None if no structure holds a phase other than 0."""
        differences = np.concatenate(self._differences) if self._differences else np.empty(0)
        return 100 * float(differences.mean()) if len(differences) else None
