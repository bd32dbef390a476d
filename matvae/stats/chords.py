"""Chord length distribution: the lengths of the intersections of a phase with straight lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .dispatch import map_phases
from .form import LABELS, form_of
from .lags import check_periodic
from .masks import read_mask
from .run_lengths import run_lengths
from .segments import resolve_axes, resolve_longest, segment_counts, segment_products


def chord_length_distribution(
    X: Any,
    *,
    state_axis: int | None = None,
    phases: int | str = "auto",
    periodic: bool = True,
    cutoff: int | None = None,
    axis: int | None = None,
    mask: Any = None,
) -> Any:
    """Chord length distribution ``p(z)``: the fraction of a phase's chords that are z voxels long.

    A chord is a run of voxels of the phase along an axis, bounded by a voxel outside of the phase at both ends.

    Parameters
    ----------
    X, state_axis, phases, periodic, mask
        As in `lineal_path`.
    cutoff : int, optional
        Longest chord, in voxels; by default the longest that fits between two bounding voxels: N-1 in a periodic
        structure, N-2 in a window, with N the shortest of the axes.
    axis : int, optional
        Spatial axis along which chords lie. None combines the chords along all axes.

    Returns
    -------
    array ``(sample, length, phase)``
        Lengths 1 to the cutoff; same kind as X, differentiable in torch. Zero if a phase has no chords.

    Raises
    ------
    InputError
        As in `lineal_path`.

    Notes
    -----
    Torquato & Lu, Physical Review E 47, 2950 (1993): p is the second derivative of the lineal path function. For a
    periodic structure this holds exactly for differences, ``p(z) ~ L(z-1) - 2 L(z) + L(z+1)``, and p sums to one; lines
    that lie wholly in the phase have no chords. The edges of a window cut chords, long ones more often than short ones.
    Therefore only chords with both ends inside are counted, divided by the number of positions at which a chord of that
    length fits into the window, relative to the density of all chord ends. This removes the bias towards short chords,
    but the values may not sum to exactly one.
    """
    form = form_of(X, phases, state_axis)
    check_periodic(periodic)
    axes = resolve_axes(axis, len(form.space))
    longest = longest_chord(form.space, periodic, cutoff, axis)
    weights = read_mask(mask, X, form.space)

    hard = form.kind == LABELS and mask is None

    def distribution(field: Tensor, mask: Tensor | None) -> Tensor:
        densities = [_densities(field, mask, i + 1, periodic, longest, hard) for i in axes]
        chords, ends = (torch.stack(per_axis).mean(0) for per_axis in zip(*densities, strict=True))
        is_present = ends > 0
        return torch.where(is_present, chords / torch.where(is_present, ends, 1), 0)

    return map_phases(X, form, phases, distribution, (longest,), weights)


def longest_chord(
    shape: Sequence[int], periodic: bool = True, cutoff: int | None = None, axis: int | None = None
) -> int:
    """Return the longest length in `chord_length_distribution` for structures of a given shape, in voxels."""
    most = min(shape[i] for i in resolve_axes(axis, len(shape))) - (1 if periodic else 2)
    return resolve_longest(cutoff, 1, most, "Chords")


def _densities(
    field: Tensor, mask: Tensor | None, axis: int, periodic: bool, longest: int, hard: bool
) -> tuple[Tensor, Tensor]:
    """Chords of each length ``(sample, length)`` and of any length ``(sample, 1)``, per position at which they fit."""
    inside = field if mask is None else field * mask.to(field)
    outside = 1 - field if mask is None else (1 - field) * mask.to(field)
    if hard:
        chords = run_lengths(field > 0, axis, periodic)[1][:, 1 : longest + 1].to(field)
    else:
        chords = _chords(inside, outside, axis, periodic, longest)
    positions = field.shape[axis] - (0 if periodic else 1)
    steps = inside * outside.roll(-1, axis) + outside * inside.roll(-1, axis)
    ends = steps.narrow(axis, 0, positions).flatten(1).sum(1, keepdim=True) / 2
    counts = segment_counts(field, mask, axis, periodic, longest + 2)
    return chords / counts[:, 2:], ends / counts[:, 1:2]


def _chords(inside: Tensor, outside: Tensor, axis: int, periodic: bool, longest: int) -> Tensor:
    """Sum the products of a run in the phase and a voxel outside of it at both ends over all positions of the run."""
    n = inside.shape[axis]
    sums = []
    for voxels, product in enumerate(segment_products(inside, axis, periodic, longest), start=1):
        if periodic:
            closed = product * outside.roll(1, axis) * outside.roll(-voxels, axis)
        else:
            positions = n - voxels - 1
            ends = outside.narrow(axis, 0, positions) * outside.narrow(axis, voxels + 1, positions)
            closed = product.narrow(axis, 1, positions) * ends
        sums.append(closed.flatten(1).sum(1))
    return torch.stack(sums, dim=1)
