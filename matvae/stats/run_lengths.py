"""Histograms of the run lengths of a phase along an axis, from which lineal paths and chord lengths of labels follow.

The products of neighbouring voxels in `segments` give the same numbers, also for soft fractions and masks, but need one
pass over the structures per length.
"""

from __future__ import annotations

import torch
from torch import Tensor


def run_lengths(inside: Tensor, axis: int, periodic: bool) -> tuple[Tensor, Tensor]:
    """Count the runs of each length.

    Parameters
    ----------
    inside : Tensor ``(sample, *space)`` of bool
        Indicator of the phase.
    axis : int
        Axis of the tensor along which to count.
    periodic : bool
        Whether runs continue on the opposite side. A line that lies wholly in the phase is then one run of N voxels.

    Returns
    -------
    runs : Tensor ``(sample, N + 1)`` of int64
        Number of runs of 0, 1, ..., N voxels (none has 0 voxels).
    closed : Tensor ``(sample, N + 1)`` of int64
        Number of those with a voxel outside of the phase at both ends.
    """
    n = inside.shape[axis]
    lines = inside.movedim(axis, -1).flatten(1, -2) if inside.ndim > 2 else inside.unsqueeze(1)
    n_full = lines.all(-1).sum(1)
    # Repeating a line joins the two parts of a run that crosses its end.
    signs = (torch.cat([lines, lines], -1) if periodic else lines).to(torch.int8)
    steps = torch.diff(torch.nn.functional.pad(signs, (1, 1)), dim=-1)
    starts, stops = (steps == 1).nonzero(), (steps == -1).nonzero()
    sample, start, stop = starts[:, 0], starts[:, 2], stops[:, 2]
    if periodic:
        is_closed = (start > 0) & (start <= n)
        closed = _histogram(sample[is_closed], (stop - start)[is_closed], len(inside), n)
        runs = closed.clone()
        runs[:, n] += n_full
        return runs, closed
    is_closed = (start > 0) & (stop < n)
    runs = _histogram(sample, stop - start, len(inside), n)
    return runs, _histogram(sample[is_closed], (stop - start)[is_closed], len(inside), n)


def positions_in_runs(runs: Tensor, periodic: bool) -> Tensor:
    """Count the positions ``(sample, N)`` at which 1, 2, ..., N neighbouring voxels lie in one run.

    Parameters
    ----------
    runs : Tensor ``(sample, N + 1)``
        Number of runs of each length, from `run_lengths`.
    periodic : bool
        Whether a run of all N voxels of a line is closed to a ring, which has N positions for every length.
    """
    n = runs.shape[1] - 1
    if periodic:
        n_full = runs[:, n:]
        return _positions(torch.cat([runs[:, :n], torch.zeros_like(n_full)], 1)) + n * n_full
    return _positions(runs)


def _positions(runs: Tensor) -> Tensor:
    # A run of R voxels has R-k+1 positions for k of them: the second cumulative sum of the runs, from the longest down.
    at_least = runs.flip(1).cumsum(1)
    return at_least.cumsum(1).flip(1)[:, 1:]


def _histogram(sample: Tensor, length: Tensor, n_samples: int, n: int) -> Tensor:
    return torch.bincount(sample * (n + 1) + length, minlength=n_samples * (n + 1)).view(n_samples, n + 1)
