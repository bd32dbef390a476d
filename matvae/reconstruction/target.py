"""What statistics ask of a structure: numbers of voxels, sums over voxel pairs, and whether both can be had at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..grid import Grid
from ..stats import correlate, lag_shape, relative_error, resolve_correlations
from ..stats.correlate import pair_counts, transform_shape
from ..stats.correlations import Pairs
from ..stats.exact_counts import whole_counts
from ..stats.map_samples import as_tensor
from .contradictions import check_centre, power_agrees

# Contradictions up to this size, in probability, are rounding.
SLACK = 1e-4


@dataclass(frozen=True)
class Target:
    """Statistics to be realised, and what they mean for the structure.

    Parameters
    ----------
    grid : Grid
        What one structure is to be.
    pairs : sequence of (int, int)
        Phases that are correlated.
    cutoff : tuple of int or None
        Largest lag that is known along each axis; None for all there are.
    statistics : Tensor ``(sample, *lag, correlation)``
    counts : Tensor ``(sample, phase)``
        Voxels of each phase.
    weights : Tensor ``()`` or ``(*lag)``
        Voxel pairs at each lag.
    known : Tensor of bool ``(*lag)``, optional
        Lags at which something is wanted; the statistics are zero at all others. None means all of them.
    """

    grid: Grid
    pairs: Pairs
    cutoff: tuple[int, ...] | None
    statistics: Tensor
    counts: Tensor
    weights: Tensor
    known: Tensor | None = None

    @property
    def n_transformed(self) -> int:
        """Voxels of one field on the grid of the Fourier transform."""
        return math.prod(transform_shape(self.grid.shape, self.grid.periodic, self.cutoff))

    def __len__(self) -> int:
        return len(self.statistics)

    def select(self, samples: Tensor | slice) -> Target:
        """Some of the samples."""
        return replace(self, statistics=self.statistics[samples], counts=self.counts[samples])

    def of(self, fields: Tensor, *, indicator: bool = False) -> Tensor:
        """The same statistics of fields ``(sample, phase, *space)``."""
        return correlate(
            fields,
            self.pairs,
            periodic=self.grid.periodic,
            cutoff=self.cutoff,
            counts=self.weights,
            indicator=indicator,
        )

    def errors(self, fields: Tensor) -> Tensor:
        """Relative error ``(sample,)`` of the statistics of indicator fields."""
        return relative_error(self.statistics, self._wanted(self.of(fields, indicator=True)))

    def squared_errors(self, fields: Tensor) -> Tensor:
        """Squared error ``(sample,)``, with a gradient."""
        return (self._wanted(self.of(fields)) - self.statistics).square().flatten(1).sum(1)

    def _wanted(self, values: Tensor) -> Tensor:
        return values if self.known is None else values * self.known.unsqueeze(-1)


def understand(
    statistics: Any,
    grid: Grid,
    correlations: Sequence[Sequence[int]] | None,
    device: torch.device,
    *,
    complete: bool = True,
) -> tuple[Target, Tensor]:
    """Decide what statistics ask for.

    Parameters
    ----------
    statistics, grid, correlations
        As `reconstruct` takes them.
    device : torch.device
    complete : bool
        Whether statistics without a cutoff are those of all voxels at every lag: only then does their power tell
        whether a structure can have them.

    Returns
    -------
    target : Target
    realizable : Tensor of bool ``(sample,)``
        Whether nothing in the statistics contradicts that a structure has them.

    Raises
    ------
    InputError
        If shape or values are not those of 2-point statistics of such a grid.
    """
    if grid.phases < 2:
        raise InputError("A structure of two or more phases is expected, but the grid has one: a continuous field.")
    pairs = resolve_correlations(correlations, grid.phases)
    values = _values(statistics, device)
    cutoff = _cutoff(tuple(values.shape), grid, pairs)
    if not bool(torch.isfinite(values).all()):
        raise InputError("Statistics need a finite value at every lag, but NaN or infinity was found.")
    weights = pair_counts(grid.shape, periodic=grid.periodic, cutoff=cutoff).to(values)
    check_centre(values, weights, pairs)
    centre: tuple[slice | int, ...] = (slice(None), *(n // 2 for n in values.shape[1:-1]))
    fractions, sound = _fractions(values[centre].double(), grid, pairs)
    if complete and cutoff is None:
        sound &= power_agrees(values, weights, pairs, fractions * grid.n_voxels)
        # Where the two differ, a single lag speaks for one and nearly all the others for the other.
        mean = (values * weights.unsqueeze(-1)).flatten(1, -2).double().sum(1) / grid.n_voxels**2
        by_power, _ = _fractions(mean.clamp(min=0).sqrt(), grid, pairs)
        fractions = torch.where(sound.unsqueeze(1), fractions, by_power)
    counts = whole_counts(fractions * grid.n_voxels, grid.n_voxels)
    return Target(grid, pairs, cutoff, values, counts, weights), sound


def as_float32(array: Any, device: torch.device) -> Tensor:
    """Return an array as a float32 tensor; read-only numpy arrays are copied, since torch has no read-only tensors."""
    tensor = array.detach() if isinstance(array, Tensor) else as_tensor(np.asarray(array))
    return tensor.to(device, torch.float32)


def _values(statistics: Any, device: torch.device) -> Tensor:
    array = statistics if isinstance(statistics, Tensor) else np.asarray(statistics)
    if isinstance(array, np.ndarray) and array.dtype.kind not in "biuf":
        raise InputError(f"Statistics must be real numbers, but an array of {array.dtype} was given.")
    return as_float32(array, device)


def _cutoff(shape: tuple[int, ...], grid: Grid, pairs: Pairs) -> tuple[int, ...] | None:
    whole = lag_shape(grid.shape, grid.periodic)
    if len(shape) != grid.ndim + 2 or not shape[0]:
        raise InputError(
            f"Statistics (sample, *lag, correlation) of at least one sample, with {grid.ndim} axes of lags for a grid "
            f"of shape {grid.shape}, are expected, but an array of shape {shape} was given."
        )
    lags, n_pairs = shape[1:-1], shape[-1]
    if n_pairs != len(pairs):
        raise InputError(
            f"{len(pairs)} correlations {list(pairs)} are expected for {grid.phases} phases, but the statistics hold "
            f"{n_pairs}. Name them: correlations=[(h, h'), ...]."
        )
    if lags == whole:
        return None
    cuts = tuple(n // 2 for n in lags)
    largest = tuple((n - 1) // 2 if grid.periodic else n - 1 for n in grid.shape)
    if all(n % 2 for n in lags) and all(c <= top for c, top in zip(cuts, largest, strict=True)):
        return cuts
    kind = "periodic" if grid.periodic else "non-periodic"
    raise InputError(
        f"{kind.capitalize()} statistics of structures of shape {grid.shape} have {whole} lags, or an odd number along "
        f"each axis within a cutoff of at most {largest}, but {lags} were given. Crop them to a cutoff, or say what "
        "structure they belong to with grid; statistics by PyMKS go through matvae_pymks.to_matvae_statistics."
    )


def _fractions(zero: Tensor, grid: Grid, pairs: Pairs) -> tuple[Tensor, Tensor]:
    """Volume fractions by correlations ``(sample, pair)`` at lag zero, and whether these agree with one another."""
    found: dict[int, Tensor] = {i: zero[:, k] for k, (i, j) in enumerate(pairs) if i == j}
    missing = [phase for phase in range(grid.phases) if phase not in found]
    if len(missing) > 1:
        raise InputError(
            f"The volume fractions of the phases {missing} do not follow from the correlations {list(pairs)}: give the "
            "autocorrelation of every phase but one."
        )
    sound = torch.ones(len(zero), dtype=torch.bool, device=zero.device)
    for k, (i, j) in enumerate(pairs):
        least, most = (0.0, 1.0) if i == j else (0.0, 0.0)
        sound &= (zero[:, k] >= least - SLACK) & (zero[:, k] <= most + SLACK)
    for phase in missing:
        found[phase] = 1 - torch.stack(list(found.values())).sum(0)
    fractions = torch.stack([found[phase] for phase in range(grid.phases)], dim=1)
    sound &= (fractions >= -SLACK).all(1) & ((fractions.sum(1) - 1).abs() <= SLACK * grid.phases)
    fractions = fractions.clamp(min=0)
    return fractions / fractions.sum(1, keepdim=True), sound
