"""Phase retrieval: structures whose Fourier transforms have the moduli that the statistics prescribe.

Relaxed averaged alternating reflections (Luke, Inverse Problems 21, 37 (2005), eq. 18) between two sets, the fields
with the target correlations and the structures with the target volume fractions:

    x' = beta/2 (R_S R_M + 1) x + (1 - beta) P_M x,        R = 2 P - 1.
"""

from __future__ import annotations

from torch import Tensor

from .labels import indicators, nearest_labels, rough_indicators
from .moduli import Moduli
from .target import Target

RELAXATION = 0.9


class Retrieval:
    """Iteration for a set of samples, from which finished samples can be dropped.

    Parameters
    ----------
    target : Target
        Target statistics.
    start : Tensor ``(sample, *space)``
        Initial labels.
    fixed : Tensor ``(sample, *space)``, optional
        Labels of prescribed voxels, 255 elsewhere.
    """

    def __init__(self, target: Target, start: Tensor, fixed: Tensor | None = None) -> None:
        self.target = target
        self.fixed = fixed
        self.moduli = Moduli(target)
        # Index of the structure in arrays (sample, phase, *transform).
        self.window = (slice(None), slice(None), *(slice(n) for n in target.grid.shape))
        self.begin(start)

    def begin(self, start: Tensor) -> None:
        """Start or restart from labels ``(sample, *space)``."""
        self.fields = self._embedded(indicators(start, self.target.grid.phases))
        self.offsets = self.fields.new_zeros(self.fields.shape[:2])

    def keep(self, samples: Tensor) -> None:
        """Continue with the samples at the given indices only."""
        self.target = self.target.select(samples)
        self.moduli.keep(samples)
        self.fields, self.offsets = self.fields[samples], self.offsets[samples]
        self.fixed = None if self.fixed is None else self.fixed[samples]

    def run(self, n_iter: int) -> Tensor:
        """Iterate `n_iter` times, and return labels ``(sample, *space)``."""
        for _ in range(n_iter):
            near = self.moduli(self.fields)
            reflected = (2 * near - self.fields)[self.window]
            nearest = self._embedded(rough_indicators(reflected, self.target.counts, self.offsets, self.fixed))
            self.fields = self.fields.add_(nearest).mul_(RELAXATION).add_(near, alpha=1 - 2 * RELAXATION)
        near = self.moduli(self.fields)[self.window]
        return nearest_labels(near, self.target.counts, fixed=self.fixed)

    def _embedded(self, fields: Tensor) -> Tensor:
        """Return fields on the grid of the transform, with zeros around a non-periodic window."""
        if self.moduli.shape == self.target.grid.shape:
            return fields
        padded = fields.new_zeros(*fields.shape[:2], *self.moduli.shape)
        padded[self.window] = fields
        return padded
