"""Projection onto fields with given correlations, which determine their Fourier transforms except for one phase angle.

With F_i the transform of state i, the correlations fix M_ij = conj(F_i) F_j at every frequency, so all F_i up to a
common angle. The nearest such fields keep the angle of their overlap with the projected fields (Fienup, Applied
Optics 21, 2758 (1982), for one field). Lags that are not given are taken from the projected fields.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..stats.correlate import transform_shape
from .target import Target

TINY = 1e-12


class Moduli:
    """Projection onto the fields that have a target's correlations.

    Works on the grid of the Fourier transform; a window that is not periodic is a corner of it.

    Parameters
    ----------
    target : Target

    Attributes
    ----------
    shape : tuple of int
        Shape of the grid of the transform.
    """

    def __init__(self, target: Target) -> None:
        grid = target.grid
        self.shape = transform_shape(grid.shape, grid.periodic, target.cutoff)
        self._axes = tuple(range(2, 2 + grid.ndim))
        # One phase is the complement of the others, preferably the one with the fewest known correlations.
        known = [sum(phase in pair for pair in target.pairs) for phase in range(grid.phases)]
        self._rest = min(range(grid.phases), key=lambda phase: known[phase])
        self._states = [phase for phase in range(grid.phases) if phase != self._rest]
        self._place = {pair: k for k, pair in enumerate(target.pairs) if self._rest not in pair}
        self._sums, self._lags = self._on_transform(target)
        self._vectors = self._column(None) if self._complete() else None

    def keep(self, samples: Tensor) -> None:
        """Continue with some of the samples only, given by their indices."""
        self._sums = self._sums[samples]
        if self._vectors is not None:
            self._vectors = self._vectors[samples]

    def __call__(self, fields: Tensor) -> Tensor:
        """Project onto the nearest fields ``(sample, phase, *transform)`` with the target's correlations."""
        spectra = torch.fft.rfftn(fields[:, self._states], dim=self._axes)
        vectors = self._column(spectra) if self._vectors is None else self._vectors
        overlap = (vectors.conj() * spectra).sum(1, keepdim=True)
        near = torch.fft.irfftn(vectors * (overlap / (overlap.abs() + TINY)), s=self.shape, dim=self._axes)
        rest = 1 - near.sum(1, keepdim=True)
        return torch.cat([near[:, : self._rest], rest, near[:, self._rest :]], dim=1)

    def _on_transform(self, target: Target) -> tuple[Tensor, Tensor]:
        """Sums over voxel pairs ``(sample, pair, *transform)``, zero lag first, and a mask of the known lags."""
        sums = (target.statistics * target.weights.unsqueeze(-1)).movedim(-1, 1)
        places = [
            (torch.arange(n, device=sums.device) - n // 2) % size
            for n, size in zip(sums.shape[2:], self.shape, strict=True)
        ]
        index: tuple[Any, ...] = tuple(torch.meshgrid(*places, indexing="ij"))
        everywhere = sums.new_zeros(*sums.shape[:2], *self.shape)
        everywhere[(slice(None), slice(None), *index)] = sums
        # Beyond the lags of a window there are no voxel pairs, if all its lags are given.
        known = torch.full(self.shape, target.cutoff is None, dtype=torch.bool, device=sums.device)
        known[index] = True if target.known is None else target.known
        return everywhere, known

    def _complete(self) -> bool:
        pairs = [(i, j) for i in self._states for j in self._states if i <= j]
        return bool(self._lags.all()) and all(pair in self._place or pair[::-1] in self._place for pair in pairs)

    def _column(self, spectra: Tensor | None) -> Tensor:
        """Transforms ``(sample, state, *frequency)``, with the angle of the strongest state removed.

        The angles are those of the column of M at that state, the moduli the roots of the powers: if the statistics are
        those of a structure, M has no other columns. If they are not, or partly unknown, zero is never divided by zero.
        """
        n_states = len(self._states)
        rows = [[self._spectrum(a, b, spectra) for b in range(n_states)] for a in range(n_states)]
        powers = torch.stack([rows[a][a].real.clamp_min(0) for a in range(n_states)], dim=1)
        if n_states == 1:
            return powers.sqrt()
        columns = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
        strongest = powers.argmax(1, keepdim=True)
        column = columns.gather(1, strongest.unsqueeze(2).expand(-1, 1, n_states, *powers.shape[2:])).squeeze(1)
        return column * (powers.sqrt() / (column.abs() + TINY))

    def _spectrum(self, a: int, b: int, spectra: Tensor | None) -> Tensor:
        """Spectrum of the sums over voxel pairs of two states, with unknown lags taken from the fields."""
        axes = tuple(range(1, len(self.shape) + 1))
        pair = self._states[a], self._states[b]
        own = None if spectra is None else spectra[:, a].conj() * spectra[:, b]
        if pair in self._place:
            sums = self._sums[:, self._place[pair]]
        elif pair[::-1] in self._place:
            sums = _reversed(self._sums[:, self._place[pair[::-1]]])
        else:
            assert own is not None
            return own
        if own is not None:
            sums = torch.where(self._lags, sums, torch.fft.irfftn(own, s=self.shape, dim=axes))
        return torch.fft.rfftn(sums, dim=axes)


def _reversed(sums: Tensor) -> Tensor:
    """Sums at minus each lag, lag zero first."""
    axes = tuple(range(1, sums.ndim))
    return torch.roll(torch.flip(sums, axes), [1] * len(axes), axes)
