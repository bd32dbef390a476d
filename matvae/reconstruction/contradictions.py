"""Contradictions in statistics that no structure can have: a misplaced zero lag, a mistake, and impossible power.

Sums over voxel pairs of one phase are the autocorrelation of its indicator field: they are largest at lag zero, their
Fourier transform is the field's power, real and nowhere negative (Niezgoda, Fullwood & Kalidindi, Acta Materialia 56,
5285 (2008), sec. 3), and at zero frequency it is the number of voxels squared.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import InputError
from ..stats.correlations import Pairs
from ..stats.distance import TINY

# Relative differences up to this are rounding errors.
SLACK = 1e-4
# An array less symmetric than this is not an autocorrelation, or has another centre.
ASYMMETRY = 1e-2


def check_centre(values: Tensor, weights: Tensor, pairs: Pairs) -> None:
    """Refuse statistics whose zero lag is not at the centre.

    Parameters
    ----------
    values : Tensor ``(sample, *lag, correlation)``
    weights : Tensor ``()`` or ``(*lag)``
        Number of voxel pairs at each lag.
    pairs : sequence of (int, int)

    Raises
    ------
    InputError
        If an autocorrelation differs from its mirror image about the centre, or is largest at the position of zero lag
        in an array that was not shifted.
    """
    centre = tuple(n // 2 for n in values.shape[1:-1])
    for k, (i, j) in enumerate(pairs):
        if i != j:
            continue
        sums = values[..., k] * weights
        largest = sums.flatten(1).amax(1)
        difference = float(((sums - _mirrored(sums)).flatten(1).abs().amax(1) / (largest.abs() + TINY)).max())
        if difference > ASYMMETRY:
            raise InputError(
                f"Correlation {k} is expected to be the autocorrelation of phase {i} with zero lag at the centre, at "
                f"index {centre}, f(-r) = f(r), but the two differ by up to {100 * difference:.3g} % of the largest "
                f"value. {_ADVICE}"
            )
        # Along an even axis an array that was not shifted is also symmetric. Decoded statistics of some samples can
        # have such a maximum, but not those of all.
        for lag in itertools.product(*((0, index) for index in centre)):
            values_at_lag = _at(sums, lag)
            if bool(((values_at_lag >= largest) & (values_at_lag > _at(sums, centre) * (1 + ASYMMETRY) + TINY)).all()):
                raise InputError(
                    f"Zero lag is expected at the centre, index {centre}, where an autocorrelation is largest, but "
                    f"correlation {k} is largest at {lag}. {_ADVICE}"
                )


_ADVICE = (
    "If zero lag is at the corner, shift the array with numpy.fft.fftshift over its lag axes; if the correlation is "
    "one of two phases, name the pairs with correlations=[(h, h'), ...]."
)


def _mirrored(sums: Tensor) -> Tensor:
    """Sums ``(sample, *lag)`` at minus each lag; lag -N/2 of an even axis is its own opposite on the torus."""
    axes = tuple(range(1, sums.ndim))
    even = [axis for axis in axes if sums.shape[axis] % 2 == 0]
    flipped = torch.flip(sums, axes)
    return torch.roll(flipped, [1] * len(even), even) if even else flipped


def power_agrees(values: Tensor, weights: Tensor, pairs: Pairs, counts: Tensor) -> Tensor:
    """Check whether the power that complete statistics imply is that of a structure.

    Parameters
    ----------
    values : Tensor ``(sample, *lag, correlation)``
        At every lag.
    weights : Tensor ``()`` or ``(*lag)``
        Number of voxel pairs at each lag.
    pairs : sequence of (int, int)
    counts : Tensor ``(sample, phase)``
        Number of voxels of each phase, not necessarily whole.

    Returns
    -------
    Tensor of bool ``(sample,)``
        False if the power is negative or complex, or at zero frequency not the product of the numbers of voxels, by
        more than 1e-4 of its norm.
    """
    agrees = torch.ones(len(values), dtype=torch.bool, device=values.device)
    axes = tuple(range(1, values.ndim - 1))
    for k, (i, j) in enumerate(pairs):
        power = torch.fft.rfftn(torch.fft.ifftshift(values[..., k] * weights, axes), dim=axes).flatten(1)
        size = power.norm(dim=1) + TINY
        agrees &= (power[:, 0].real - counts[:, i] * counts[:, j]).abs() <= SLACK * size
        if i == j:
            agrees &= (power - power.real.clamp_min(0)).norm(dim=1) <= SLACK * size
    return agrees


def _at(sums: Tensor, lag: Sequence[int]) -> Tensor:
    """Values ``(sample,)`` at one lag."""
    for index in lag:
        sums = sums.select(1, index)
    return sums
