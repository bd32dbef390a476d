"""Lineal path function: the probability that a straight segment lies wholly in a phase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .dispatch import map_phases
from .form import LABELS, form_of
from .lags import check_periodic
from .masks import read_mask
from .of_structures import of_structures
from .run_lengths import positions_in_runs, run_lengths
from .segments import resolve_axes, resolve_longest, segment_counts, segment_products, totals


@of_structures
def lineal_path(
    X: Any,
    *,
    state_axis: int | None = None,
    phases: int | str = "auto",
    periodic: bool = True,
    cutoff: int | None = None,
    axis: int | None = None,
    mask: Any = None,
) -> Any:
    """Lineal path function ``L(z)``: probability that a segment of length z along an axis lies wholly in a phase.

    Parameters
    ----------
    X, spatial_dims, state_axis, phases
        Structures, as in `two_point_stats`. For soft fractions, L is the mean product of the fractions along segments.
    periodic : bool
        Whether structures continue on their opposite side, as in `two_point_stats`.
    cutoff : int, optional
        Longest segment, in voxels; by default N-1, with N the shortest of the axes.
    axis : int, optional
        Spatial axis along which segments lie. None averages over all axes.
    mask : array ``(*space)`` or ``(sample, *space)``, optional
        Weight of each voxel in [0, 1]; the weight of a segment is the product of those of its voxels.

    Returns
    -------
    array ``(sample, length, phase)``
        Lengths 0 to the cutoff; same kind as X, differentiable in torch. A segment of length z connects the centres of
        two voxels that are z apart and so crosses z+1 voxels: L(0) is the volume fraction.

    Raises
    ------
    InputError
        As in `two_point_stats`, or for a cutoff out of range or an axis that does not exist.

    Notes
    -----
    Lu & Torquato, Physical Review A 45, 922 (1992).
    """
    form = form_of(X, phases, state_axis)
    check_periodic(periodic)
    axes = resolve_axes(axis, len(form.space))
    longest = 1 + longest_segment(form.space, cutoff, axis)
    weights = read_mask(mask, X, form.space)

    hard = form.kind == LABELS and mask is None

    def path(field: Tensor, mask: Tensor | None) -> Tensor:
        paths = []
        for i in axes:
            if hard:
                runs, _ = run_lengths(field > 0, i + 1, periodic)
                sums = positions_in_runs(runs, periodic)[:, :longest].to(field)
            else:
                weighted = field if mask is None else field * mask.to(field)
                sums = totals(segment_products(weighted, i + 1, periodic, longest))
            paths.append(sums / segment_counts(field, mask, i + 1, periodic, longest))
        return torch.stack(paths).mean(0)

    return map_phases(X, form, phases, path, (longest,), weights)


def longest_segment(shape: Sequence[int], cutoff: int | None = None, axis: int | None = None) -> int:
    """Return the longest length in `lineal_path` for structures of a given shape, in voxels."""
    most = min(shape[i] for i in resolve_axes(axis, len(shape))) - 1
    return resolve_longest(cutoff, 0, most, "Segments")
