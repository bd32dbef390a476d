"""What `reconstruct` gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..errors import InputError
from ..grid import Grid
from .agreement import Agreement, mutual_agreement


@dataclass(frozen=True)
class Reconstruction:
    """Structures, and how well their statistics are those that were wanted.

    Attributes
    ----------
    structures : array ``(sample, *space)``, or ``(sample, realization, *space)``
        Phase labels, uint8.
    error : array ``(sample,)`` or ``(sample, realization)``
        Relative error of the statistics of the structure, ``||f - g||_2 / ||f||_2``; of several statistics the root
        of the weighted mean of squares.
    n_iter : array of the shape of `error`
        Iterations of phase retrieval that the structure took.
    realizable : array of bool ``(sample,)``
        Whether nothing in the wanted statistics shows that no structure can have them.
    errors : mapping of str to array of the shape of `error`
        Relative error of each statistic by its name.
    grid : Grid
        What a structure is.
    """

    structures: np.ndarray
    error: np.ndarray
    n_iter: np.ndarray
    realizable: np.ndarray
    errors: Mapping[str, np.ndarray] = field(default_factory=dict)
    grid: Grid | None = None

    def agreement(self) -> Agreement:
        """How much the realizations of each sample have in common, after the best registration.

        Returns
        -------
        Agreement
            ``share`` and ``chance``, each an array ``(sample,)``.

        Raises
        ------
        InputError
            If there are not several realizations.
        """
        if self.error.ndim < 2 or self.error.shape[1] < 2 or self.grid is None:
            raise InputError(
                "Two or more realizations of each sample are needed to compare them, but there is one. Pass "
                "n_realizations to reconstruct."
            )
        found = [mutual_agreement(one, periodic=self.grid.periodic) for one in self.structures]
        return Agreement(np.array([one.share for one in found]), np.array([one.chance for one in found]))
