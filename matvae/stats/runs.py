"""Lengths of the runs of a phase along an axis: all that lineal paths and chords of labels need, counted once.

Products of neighbouring voxels (`segments`) give the same numbers, also for soft fractions and masks, but take a pass
over the structures for every length.
"""

from __future__ import annotations

import torch
from torch import Tensor


def run_lengths(inside: Tensor, axis: int, periodic: bool) -> tuple[Tensor, Tensor]:
    """Number of runs of each length.

    Parameters
    ----------
    inside : Tensor ``(sample, *space)`` of bool
        Where the phase is.
    axis : int
        Axis of the tensor along which runs lie.
    periodic : bool
        Whether runs go on at the other side. A line that lies wholly in the phase then is one run of N voxels.

    Returns
    -------
    runs : Tensor ``(sample, N + 1)`` of int64
        Number of runs of 0, 1, ..., N voxels (of 0 voxels there are none).
    whole : Tensor ``(sample, N + 1)`` of int64
        Of these, the ones with a voxel outside of the phase at both ends.
    """
    n = inside.shape[axis]
    lines = inside.movedim(axis, -1).flatten(1, -2) if inside.ndim > 2 else inside.unsqueeze(1)
    full = lines.all(-1).sum(1)
    # A line that is written twice holds every run that crosses its end in one piece.
    signs = (torch.cat([lines, lines], -1) if periodic else lines).to(torch.int8)
    steps = torch.diff(torch.nn.functional.pad(signs, (1, 1)), dim=-1)
    starts, ends = (steps == 1).nonzero(), (steps == -1).nonzero()
    sample, begin, end = starts[:, 0], starts[:, 2], ends[:, 2]
    if periodic:
        closed = (begin > 0) & (begin <= n)
        whole = _histogram(sample[closed], (end - begin)[closed], len(inside), n)
        runs = whole.clone()
        runs[:, n] += full
        return runs, whole
    closed = (begin > 0) & (end < n)
    every = _histogram(sample, end - begin, len(inside), n)
    return every, _histogram(sample[closed], (end - begin)[closed], len(inside), n)


def places_in_runs(runs: Tensor, periodic: bool) -> Tensor:
    """Number of places ``(sample, N)`` where 1, 2, ..., N neighbouring voxels lie in one run.

    Parameters
    ----------
    runs : Tensor ``(sample, N + 1)``
        What `run_lengths` gave.
    periodic : bool
        Whether a run of all N voxels of a line goes round, and so has N places for every length.
    """
    n = runs.shape[1] - 1
    if periodic:
        full = runs[:, n:]
        return _places(torch.cat([runs[:, :n], torch.zeros_like(full)], 1)) + n * full
    return _places(runs)


def _places(runs: Tensor) -> Tensor:
    """A run of R voxels has R-k+1 places for k of them: the runs at least that long, added up from the longest on."""
    at_least = runs.flip(1).cumsum(1)
    return at_least.cumsum(1).flip(1)[:, 1:]


def _histogram(sample: Tensor, length: Tensor, n_samples: int, n: int) -> Tensor:
    return torch.bincount(sample * (n + 1) + length, minlength=n_samples * (n + 1)).view(n_samples, n + 1)
