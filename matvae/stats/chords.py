"""Chord length distribution: the lengths of the intersections of a phase with straight lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..grid import voxel_edges
from ..warn import warn
from .dispatch import map_phases
from .form import LABELS, form_of
from .lags import check_periodic
from .masks import read_mask
from .of_structures import of_structures
from .run_lengths import run_lengths
from .segments import DECIMALS, resolve_axes, resolve_longest, segment_counts, segment_products

# Chords beyond a cutoff are reported if they are more than this fraction of all.
SILENT = 0.01


@of_structures
def chord_length_distribution(
    X: Any,
    *,
    state_axis: int | None = None,
    phases: int | str = "auto",
    periodic: bool = True,
    cutoff: int | None = None,
    axis: int | None = None,
    mask: Any = None,
    voxel_size: float | Sequence[float] | None = None,
) -> Any:
    """Chord length distribution ``p(z)``: the fraction of a phase's chords that have the length z.

    A chord is a run of voxels of the phase along an axis, bounded by a voxel outside of the phase at both ends.

    Parameters
    ----------
    X, state_axis, phases, periodic, mask
        As in `lineal_path`.
    cutoff : int, optional
        Longest chord along each axis, in voxels; by default the longest that fits between two bounding voxels: N-1 in a
        periodic structure, N-2 in a window, where N is the number of voxels along the axis.
    axis : int, optional
        Spatial axis along which chords lie. None combines the chords along all axes.
    voxel_size : float or sequence of float, optional
        Edge length of a voxel along each axis, by default one. It matters where voxels are not cubes: chords of equal
        length, not of equally many voxels, are then counted together.

    Returns
    -------
    array ``(sample, length, phase)``
        At the lengths of `chord_lengths`: by default 1, 2, ... voxels up to the longest along any axis. Same kind as X,
        differentiable in torch. Zero if a phase has no chords.

    Raises
    ------
    InputError
        As in `lineal_path`.

    Warns
    -----
    UserWarning
        If a cutoff leaves out more than 1 % of the chords of a phase of labels.

    Notes
    -----
    Torquato & Lu, Physical Review E 47, 2950 (1993): p is the second derivative of the lineal path function. For a
    periodic structure this holds exactly for differences, ``p(z) ~ L(z-1) - 2 L(z) + L(z+1)``, and p sums to one unless
    there is a cutoff; lines that lie wholly in the phase have no chords. Axes are combined by the number of chords per
    length of line. The edges of a window cut chords, long ones more often than short ones. Therefore only chords with
    both ends inside are counted, divided by the number of positions at which a chord of that length fits into the
    window, relative to the density of all chord ends. This removes the bias towards short chords, but the values may
    not sum to exactly one, and chords that do not fit along an axis are missing.
    """
    form = form_of(X, phases, state_axis)
    check_periodic(periodic)
    axes = resolve_axes(axis, len(form.space))
    edges = voxel_edges(voxel_size, len(form.space)) or (1.0,) * len(form.space)
    longest = _longest_per_axis(form.space, periodic, cutoff, axis)
    lengths, columns = _merged_lengths([edges[i] for i in axes], longest)
    weights = read_mask(mask, X, form.space)

    hard = form.kind == LABELS and mask is None

    def distribution(field: Tensor, mask: Tensor | None) -> Tensor:
        chords, ends = field.new_zeros(len(field), len(lengths)), field.new_zeros(len(field), 1)
        for i, most, column in zip(axes, longest, columns, strict=True):
            along_axis, ends_along_axis = _densities(field, mask, i + 1, periodic, most, hard)
            # Per length of line, not per voxel of it.
            chords = chords.index_add(1, column.to(field.device), along_axis / edges[i])
            ends = ends + ends_along_axis / edges[i]
        is_present = ends > 0
        return torch.where(is_present, chords / torch.where(is_present, ends, 1), 0)

    return map_phases(X, form, phases, distribution, (len(lengths),), weights)


def chord_lengths(
    shape: Sequence[int],
    periodic: bool = True,
    cutoff: int | None = None,
    axis: int | None = None,
    voxel_size: float | Sequence[float] | None = None,
) -> np.ndarray:
    """Lengths ``(length,)`` of the result of `chord_length_distribution` for structures of a given shape, ascending.

    Parameters
    ----------
    shape : sequence of int
        Voxels along each axis.
    periodic, cutoff, axis, voxel_size
        As in `chord_length_distribution`.

    Returns
    -------
    ndarray ``(length,)``
        All multiples of the voxel size along the chosen axes up to the longest chords, in the unit of the voxel size.
    """
    edges = voxel_edges(voxel_size, len(shape)) or (1.0,) * len(shape)
    longest = _longest_per_axis(shape, periodic, cutoff, axis)
    return _merged_lengths([edges[i] for i in resolve_axes(axis, len(shape))], longest)[0]


def _longest_per_axis(shape: Sequence[int], periodic: bool, cutoff: int | None, axis: int | None) -> list[int]:
    """Longest chord along each of the chosen axes, in voxels."""
    room = [shape[i] - (1 if periodic else 2) for i in resolve_axes(axis, len(shape))]
    if min(room) < 1:
        resolve_longest(None, 1, min(room), "Chords")
    longest = resolve_longest(cutoff, 1, max(room), "Chords")
    return [min(longest, most) for most in room]


def _merged_lengths(edges: Sequence[float], longest: Sequence[int]) -> tuple[np.ndarray, list[Tensor]]:
    """Lengths that occur along any of some axes, and the index of each multiple of the edge along every axis."""
    shortest = min(edges)
    multiples = [
        np.round(np.arange(1, n + 1) * (edge / shortest), DECIMALS) for edge, n in zip(edges, longest, strict=True)
    ]
    lengths = np.unique(np.concatenate(multiples))
    return lengths * shortest, [torch.from_numpy(np.searchsorted(lengths, values)) for values in multiples]


def _densities(
    field: Tensor, mask: Tensor | None, axis: int, periodic: bool, longest: int, hard: bool
) -> tuple[Tensor, Tensor]:
    """Chords of each length ``(sample, length)`` and of any length ``(sample, 1)``, per position at which they fit."""
    inside = field if mask is None else field * mask.to(field)
    outside = 1 - field if mask is None else (1 - field) * mask.to(field)
    if hard:
        closed = run_lengths(field > 0, axis, periodic)[1]
        _warn_of_longer(closed, longest)
        chords = closed[:, 1 : longest + 1].to(field)
    else:
        chords = _chords(inside, outside, axis, periodic, longest)
    positions = field.shape[axis] - (0 if periodic else 1)
    steps = inside * outside.roll(-1, axis) + outside * inside.roll(-1, axis)
    ends = steps.narrow(axis, 0, positions).flatten(1).sum(1, keepdim=True) / 2
    counts = segment_counts(field, mask, axis, periodic, longest + 2)
    return chords / counts[:, 2:], ends / counts[:, 1:2]


def _warn_of_longer(closed: Tensor, longest: int) -> None:
    """Warn if a cutoff leaves out chords, of which ``(sample, N + 1)`` have 0, 1, ... voxels."""
    n_longer, n_chords = int(closed[:, longest + 1 :].sum()), int(closed.sum())
    if n_longer > SILENT * n_chords:
        voxels = int(closed.sum(0).nonzero()[-1, 0])
        warn(
            f"Chords longer than the cutoff of {longest} voxels are left out: {100 * n_longer / n_chords:.1f} % of "
            f"those of a phase along an axis, up to {voxels} voxels. The distribution does not sum to one; pass a "
            "larger cutoff, or none for all lengths."
        )


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
