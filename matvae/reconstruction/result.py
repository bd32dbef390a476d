"""The result of `reconstruct`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..errors import InputError
from ..grid import Grid
from ..pictured import Picture, Pictured, pictures_of
from .agreement import Agreement, mutual_agreement


@dataclass(frozen=True, repr=False)
class Reconstruction(Pictured):
    """Reconstructed structures, and how closely their statistics match the target.

    Attributes
    ----------
    structures : array ``(sample, *space)``, or ``(sample, realization, *space)``
        Phase labels, uint8.
    error : array ``(sample,)`` or ``(sample, realization)``
        Relative error of the statistics, ``||f - g||_2 / ||f||_2``; for several statistics the root of the weighted
        mean of the squared errors.
    n_iter : array of the shape of `error`
        Number of iterations of phase retrieval at which the structure was found.
    realizable : array of bool ``(sample,)``
        False where the target statistics contradict themselves, so that no structure can have them.
    errors : mapping of str to array of the shape of `error`
        Relative error of each statistic, by name.
    grid : Grid
        Grid of the structures.
    voted_distance : array of the shape of `error`, optional
        With examples: relative error of the 2-point statistics of the fields that the patches voted for, before any
        swaps. If it is large, the examples hold no such structures, or the window is small.
    copied : array of the shape of `error`, optional
        With examples: share of the voxels of the middle of a structure that equal an example at the best of all shifts,
        for comparison with that of true structures from elsewhere.
    percolation : array of bool ``(sample[, realization], phase, axis)``, optional
        With examples: whether a phase connects the two sides of an axis through shared faces.
    """

    structures: np.ndarray
    error: np.ndarray
    n_iter: np.ndarray
    realizable: np.ndarray
    errors: Mapping[str, np.ndarray] = field(default_factory=dict)
    grid: Grid | None = None
    voted_distance: np.ndarray | None = None
    copied: np.ndarray | None = None
    percolation: np.ndarray | None = None

    def pictures(self, n: int, *, all_sections: bool = False) -> list[Picture]:
        """Return pictures of the first `n` structures, with their errors; realizations follow their sample."""
        errors = self.error.ravel()[:n]
        structures = self.structures.reshape(-1, *self.structures.shape[self.error.ndim :])[:n]
        labels = [
            f"structure {sample}" + "".join(f", realization {number}" for number in realization)
            for sample, *realization in np.ndindex(self.error.shape)
        ]
        names = [f"{label}: error {100 * error:.2g} %" for label, error in zip(labels, errors, strict=False)]
        grid = self.grid or Grid(structures.shape[1:], phases=max(2, int(structures.max(initial=1)) + 1))
        return pictures_of(structures, grid, names, all_sections=all_sections)

    def agreement(self) -> Agreement:
        """Compute the agreement of the realizations of each sample after the best registration.

        Returns
        -------
        Agreement
            ``share`` and ``chance``, each an array ``(sample,)``.

        Raises
        ------
        InputError
            If there are fewer than two realizations per sample.
        """
        if self.error.ndim < 2 or self.error.shape[1] < 2 or self.grid is None:
            raise InputError(
                "At least two realizations per sample are needed to compare them, but there is one. "
                "Pass n_realizations to reconstruct."
            )
        agreements = [mutual_agreement(structures, periodic=self.grid.periodic) for structures in self.structures]
        shares, chances = np.array(agreements).T
        return Agreement(shares, chances)
