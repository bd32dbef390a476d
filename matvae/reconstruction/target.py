"""Target statistics, and what they imply for a structure: its numbers of voxels, and whether it can exist."""

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

# Contradictions up to this probability are attributed to rounding.
SLACK = 1e-4


@dataclass(frozen=True)
class Target:
    """Checked 2-point statistics, with the numbers of voxels that they imply.

    Parameters
    ----------
    grid : Grid
        Grid of one structure.
    pairs : sequence of (int, int)
        Pairs of phases along the last axis of `statistics`.
    cutoff : tuple of int or None
        Largest lag along each axis; None if the statistics cover all lags.
    statistics : Tensor ``(sample, *lag, correlation)``
    counts : Tensor ``(sample, phase)``
        Number of voxels of each phase.
    weights : Tensor ``()`` or ``(*lag)``
        Number of voxel pairs at each lag.
    known : Tensor of bool ``(*lag)``, optional
        Lags with prescribed statistics, which are zero elsewhere; None if all lags are prescribed.
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
        """Number of voxels of one field on the grid of the Fourier transform."""
        return math.prod(transform_shape(self.grid.shape, self.grid.periodic, self.cutoff))

    def __len__(self) -> int:
        return len(self.statistics)

    def select(self, samples: Tensor | slice) -> Target:
        """Return the selected samples."""
        return replace(self, statistics=self.statistics[samples], counts=self.counts[samples])

    def of(self, fields: Tensor, *, indicator: bool = False) -> Tensor:
        """Return the same statistics for fields ``(sample, phase, *space)``."""
        return correlate(
            fields,
            self.pairs,
            periodic=self.grid.periodic,
            cutoff=self.cutoff,
            counts=self.weights,
            indicator=indicator,
        )

    def errors(self, fields: Tensor) -> Tensor:
        """Return the relative error ``(sample,)`` of the statistics of indicator fields."""
        return relative_error(self.statistics, self._prescribed(self.of(fields, indicator=True)))

    def squared_errors(self, fields: Tensor) -> Tensor:
        """Return the squared error ``(sample,)``, with a gradient."""
        return (self._prescribed(self.of(fields)) - self.statistics).square().flatten(1).sum(1)

    def _prescribed(self, values: Tensor) -> Tensor:
        return values if self.known is None else values * self.known.unsqueeze(-1)


def read_target(
    statistics: Any,
    grid: Grid,
    correlations: Sequence[Sequence[int]] | None,
    device: torch.device,
    *,
    complete: bool = True,
) -> tuple[Target, Tensor]:
    """Check 2-point statistics and derive the target from them.

    Parameters
    ----------
    statistics, grid, correlations
        As in `reconstruct`.
    device : torch.device
    complete : bool
        Whether statistics without a cutoff cover all voxel pairs at every lag, i.e. without a mask or unknown lags.
        Only then does their power spectrum tell whether a structure can have them.

    Returns
    -------
    target : Target
    realizable : Tensor of bool ``(sample,)``
        False where the statistics contradict themselves, so that no structure can have them.

    Raises
    ------
    InputError
        If the shape or the values are not those of 2-point statistics on this grid.
    """
    if grid.phases < 2:
        raise InputError(
            "Reconstruction needs a grid with at least two phases, but this grid has one, i.e. a continuous field."
        )
    pairs = resolve_correlations(correlations, grid.phases)
    values = _values(statistics, device)
    cutoff = _cutoff(tuple(values.shape), grid, pairs)
    if not bool(torch.isfinite(values).all()):
        raise InputError("Statistics must be finite at every lag, but NaN or infinity was found.")
    weights = pair_counts(grid.shape, periodic=grid.periodic, cutoff=cutoff).to(values)
    check_centre(values, weights, pairs)
    centre: tuple[slice | int, ...] = (slice(None), *(n // 2 for n in values.shape[1:-1]))
    fractions, realizable = _fractions(values[centre].double(), grid, pairs)
    if complete and cutoff is None:
        realizable &= power_agrees(values, weights, pairs, fractions * grid.n_voxels)
        # Where the two estimates differ, the one from nearly all lags is more reliable than that from zero lag.
        mean = (values * weights.unsqueeze(-1)).flatten(1, -2).double().sum(1) / grid.n_voxels**2
        by_power, _ = _fractions(mean.clamp(min=0).sqrt(), grid, pairs)
        fractions = torch.where(realizable.unsqueeze(1), fractions, by_power)
    counts = whole_counts(fractions * grid.n_voxels, grid.n_voxels)
    return Target(grid, pairs, cutoff, values, counts, weights), realizable


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
    all_lags = lag_shape(grid.shape, grid.periodic)
    if len(shape) != grid.ndim + 2 or not shape[0]:
        raise InputError(
            f"Statistics (sample, *lag, correlation) of at least one sample with {grid.ndim} lag axes are expected "
            f"for a grid of shape {grid.shape}, but an array of shape {shape} was given."
        )
    lags, n_pairs = shape[1:-1], shape[-1]
    if n_pairs != len(pairs):
        raise InputError(
            f"{len(pairs)} correlations {list(pairs)} are expected for {grid.phases} phases, but the statistics hold "
            f"{n_pairs}. Name the pairs with correlations=[(h, h'), ...]."
        )
    if lags == all_lags:
        return None
    cutoff = tuple(n // 2 for n in lags)
    largest = tuple((n - 1) // 2 if grid.periodic else n - 1 for n in grid.shape)
    if all(n % 2 for n in lags) and all(c <= top for c, top in zip(cutoff, largest, strict=True)):
        return cutoff
    kind = "periodic" if grid.periodic else "non-periodic"
    raise InputError(
        f"{kind.capitalize()} statistics of structures of shape {grid.shape} have {all_lags} lags, or an odd number "
        f"along each axis within a cutoff of at most {largest}, but {lags} were given. Crop them to a cutoff, or pass "
        "the grid of their structures; convert statistics by PyMKS with matvae_pymks.to_matvae_statistics."
    )


def _fractions(zero: Tensor, grid: Grid, pairs: Pairs) -> tuple[Tensor, Tensor]:
    """Return volume fractions from correlations ``(sample, pair)`` at zero lag, and whether these are consistent."""
    by_phase: dict[int, Tensor] = {i: zero[:, k] for k, (i, j) in enumerate(pairs) if i == j}
    missing = [phase for phase in range(grid.phases) if phase not in by_phase]
    if len(missing) > 1:
        raise InputError(
            f"The volume fractions of the phases {missing} do not follow from the correlations {list(pairs)}. Include "
            "the autocorrelations of all phases but one."
        )
    realizable = torch.ones(len(zero), dtype=torch.bool, device=zero.device)
    for k, (i, j) in enumerate(pairs):
        least, most = (0.0, 1.0) if i == j else (0.0, 0.0)
        realizable &= (zero[:, k] >= least - SLACK) & (zero[:, k] <= most + SLACK)
    for phase in missing:
        by_phase[phase] = 1 - torch.stack(list(by_phase.values())).sum(0)
    fractions = torch.stack([by_phase[phase] for phase in range(grid.phases)], dim=1)
    realizable &= (fractions >= -SLACK).all(1) & ((fractions.sum(1) - 1).abs() <= SLACK * grid.phases)
    fractions = fractions.clamp(min=0)
    return fractions / fractions.sum(1, keepdim=True), realizable
