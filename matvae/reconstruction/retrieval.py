"""Phase retrieval: structures of which the Fourier transforms have the moduli that the statistics fix.

Relaxed averaged alternating reflections (Luke, Inverse Problems 21, 37 (2005), eq. 18) between two sets, the fields
with the wanted correlations and the structures with the wanted volume fractions:

    x' = beta/2 (R_S R_M + 1) x + (1 - beta) P_M x,        R = 2 P - 1.
"""

from __future__ import annotations

from torch import Tensor

from .labels import indicators, nearest_labels, rough_indicators
from .moduli import Moduli
from .target import Target

RELAXATION = 0.9


class Retrieval:
    """Iterates of a set of structures, which can be taken further and dropped one by one.

    Parameters
    ----------
    target : Target
        What is wanted.
    start : Tensor ``(sample, *space)``
        Labels to begin with.
    fixed : Tensor ``(sample, *space)``, optional
        Labels of voxels that have them in any case, 255 elsewhere.
    """

    def __init__(self, target: Target, start: Tensor, fixed: Tensor | None = None) -> None:
        self.target = target
        self.fixed = fixed
        self.moduli = Moduli(target)
        # Of arrays (sample, phase, *space).
        self.window = (slice(None), slice(None), *(slice(n) for n in target.grid.shape))
        self.begin(start)

    def begin(self, start: Tensor) -> None:
        """Begin (again) with labels ``(sample, *space)``."""
        self.fields = self._embedded(indicators(start, self.target.grid.phases))
        self.offsets = self.fields.new_zeros(self.fields.shape[:2])

    def keep(self, samples: Tensor) -> None:
        """Go on with some of the samples only, given by their positions."""
        self.target = self.target.select(samples)
        self.moduli.keep(samples)
        self.fields, self.offsets = self.fields[samples], self.offsets[samples]
        self.fixed = None if self.fixed is None else self.fixed[samples]

    def run(self, n_iter: int) -> Tensor:
        """Iterate, and give the structures ``(sample, *space)`` reached."""
        for _ in range(n_iter):
            near = self.moduli(self.fields)
            reflected = (2 * near - self.fields)[self.window]
            nearest = self._embedded(rough_indicators(reflected, self.target.counts, self.offsets, self.fixed))
            self.fields = self.fields.add_(nearest).mul_(RELAXATION).add_(near, alpha=1 - 2 * RELAXATION)
        near = self.moduli(self.fields)[self.window]
        return nearest_labels(near, self.target.counts, fixed=self.fixed)

    def _embedded(self, fields: Tensor) -> Tensor:
        """Fields on the grid of the transform: a window that is not periodic has nothing around it."""
        if self.moduli.shape == self.target.grid.shape:
            return fields
        padded = fields.new_zeros(*fields.shape[:2], *self.moduli.shape)
        padded[self.window] = fields
        return padded
