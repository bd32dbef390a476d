"""Lineal path function: the probability that a straight segment lies wholly in a phase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..grid import voxel_edges
from .dispatch import map_phases
from .form import LABELS, form_of
from .lags import check_periodic
from .masks import read_mask
from .of_structures import of_structures
from .run_lengths import positions_in_runs, run_lengths
from .segments import DECIMALS, resolve_axes, resolve_longest, segment_counts, segment_products, totals


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
    voxel_size: float | Sequence[float] | None = None,
) -> Any:
    """Lineal path function ``L(z)``: probability that a segment of length z along an axis lies wholly in a phase.

    Parameters
    ----------
    X, spatial_dims, state_axis, phases
        Structures, as in `two_point_stats`. For soft fractions, L is the mean product of the fractions along segments.
    periodic : bool
        Whether structures continue on their opposite side, as in `two_point_stats`.
    cutoff : int, optional
        Longest segment, in voxels, or, where voxels are not cubes, in their shortest edges along the chosen axes. By
        default the longest that fits along each of these: N-1 voxels, with N the shortest of the axes.
    axis : int, optional
        Spatial axis along which segments lie. None averages over all axes.
    mask : array ``(*space)`` or ``(sample, *space)``, optional
        Weight of each voxel in [0, 1]; the weight of a segment is the product of those of its voxels.
    voxel_size : float or sequence of float, optional
        Edge length of a voxel along each axis, by default one. It matters where voxels are not cubes: segments of equal
        length, not of equally many voxels, are then averaged over the axes.

    Returns
    -------
    array ``(sample, length, phase)``
        At the lengths of `lineal_path_lengths`: by default 0, 1, 2, ... voxels; same kind as X, differentiable in
        torch. A segment of length z connects the centres of two voxels that are z apart, so that one of z voxels
        crosses z+1: L(0) is the volume fraction.

    Raises
    ------
    InputError
        As in `two_point_stats`, or for a cutoff out of range or an axis that does not exist.

    Notes
    -----
    Lu & Torquato, Physical Review A 45, 922 (1992). Along an axis, positions of segments are counted at multiples of
    the edge of a voxel and interpolated linearly in between. For voxels of one phase each this is exact: a run of
    length R has room R - z for segments of length z < R.
    """
    form = form_of(X, phases, state_axis)
    check_periodic(periodic)
    axes = resolve_axes(axis, len(form.space))
    edges = voxel_edges(voxel_size, len(form.space)) or (1.0,) * len(form.space)
    lengths = _lengths(form.space, [edges[i] for i in axes], cutoff, axes)
    weights = read_mask(mask, X, form.space)

    shortest = min(edges[i] for i in axes)
    hard = form.kind == LABELS and mask is None

    def path(field: Tensor, mask: Tensor | None) -> Tensor:
        paths = []
        for i in axes:
            steps = np.round(lengths * (shortest / edges[i]), DECIMALS)
            longest = 1 + int(np.ceil(steps[-1]))
            if hard:
                runs, _ = run_lengths(field > 0, i + 1, periodic)
                sums = positions_in_runs(runs, periodic)[:, :longest].to(field)
            else:
                weighted = field if mask is None else field * mask.to(field)
                sums = totals(segment_products(weighted, i + 1, periodic, longest))
            counts = segment_counts(field, mask, i + 1, periodic, longest)
            paths.append(_interpolated(sums, steps) / _interpolated(counts, steps))
        return torch.stack(paths).mean(0)

    return map_phases(X, form, phases, path, (len(lengths),), weights)


def lineal_path_lengths(
    shape: Sequence[int],
    cutoff: int | None = None,
    axis: int | None = None,
    voxel_size: float | Sequence[float] | None = None,
) -> np.ndarray:
    """Lengths ``(length,)`` of the result of `lineal_path` for structures of a given shape, ascending.

    Parameters
    ----------
    shape : sequence of int
        Voxels along each axis.
    cutoff, axis, voxel_size
        As in `lineal_path`.

    Returns
    -------
    ndarray ``(length,)``
        Zero and all multiples of the voxel size along the chosen axes up to the longest segment that fits along each of
        them, in the unit of the voxel size.
    """
    axes = resolve_axes(axis, len(shape))
    edges = voxel_edges(voxel_size, len(shape)) or (1.0,) * len(shape)
    chosen = [edges[i] for i in axes]
    return _lengths(shape, chosen, cutoff, axes) * min(chosen)


def _lengths(shape: Sequence[int], edges: Sequence[float], cutoff: int | None, axes: Sequence[int]) -> np.ndarray:
    """Lengths of the result in shortest edges, for voxels with these edges along the chosen axes."""
    multiples = [
        np.round(np.arange(shape[i]) * (edge / min(edges)), DECIMALS) for i, edge in zip(axes, edges, strict=True)
    ]
    room = min(values[-1] for values in multiples)
    longest = resolve_longest(cutoff, 0, int(room), "Segments")
    lengths = np.unique(np.concatenate(multiples))
    return lengths[lengths <= (room if cutoff is None else longest)]


def _interpolated(sums: Tensor, steps: np.ndarray) -> Tensor:
    """Interpolate sums ``(sample, step)`` linearly at some steps, which need not be whole."""
    below = torch.from_numpy(np.floor(steps).astype(np.int64)).to(sums.device)
    above = torch.from_numpy(np.ceil(steps).astype(np.int64)).to(sums.device)
    share = torch.from_numpy(steps).to(sums) - below
    return sums[:, below] * (1 - share) + sums[:, above] * share
