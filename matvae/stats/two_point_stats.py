"""2-point statistics and volume fractions of numpy, dask and torch arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .correlate import correlate, pair_counts, transform_shape
from .correlations import resolve_correlations
from .dispatch import map_structures, result_dtype
from .form import LABELS, STATES, check_values, form_of
from .lags import Cutoff, lag_shape, resolve_cutoff
from .magnitude import in_squares_of, unit_of
from .masks import read_mask
from .of_structures import of_structures


@of_structures
def two_point_stats(
    X: Any,
    *,
    state_axis: int | None = None,
    phases: int | str = "auto",
    correlations: Sequence[Sequence[int]] | None = None,
    periodic: bool = True,
    cutoff: Cutoff = None,
    mask: Any = None,
) -> Any:
    """2-point statistics ``f[r] = sum_s m[s, h] m[s + r, h'] / count(r)`` of a set of structures.

    Parameters
    ----------
    X : array ``(sample, *space)`` or, with `state_axis`, ``(sample, *space, state)``
        Structures in one to three dimensions; numpy, dask or torch. Integers are phase labels, floating point
        values a continuous field in one local state. A dask array is read by whole samples: chunks that split
        the spatial axes are merged. Also a list of numpy arrays, `Structures`, a path, a list of paths, or an
        xarray.DataArray, whose axes go by their names ``sample``, ``z``, ``y`` and ``x``.
    spatial_dims : int, optional
        Number of spatial axes of one structure. An array with that many axes is one structure, an array with one more
        is ``(sample, *space)``. Required for structures in one dimension: without it, an array of two axes is refused,
        since it may be one image.
    state_axis : int, optional
        Axis of the local states of an array discretised as by PyMKS (last axis: -1).
    phases : int or ``"auto"``
        Number of phases H. By default that of `Structures`; ``"auto"`` counts the labels of an array, which must have
        no gaps (for a dask array this reads the data once).
    correlations : list of (int, int), optional
        Pairs of phases. By default the autocorrelation of phase 1, or for H phases the H(H-1)/2 pairs among
        phases 1 to H-1, which determine all others.
    periodic : bool
        Whether structures continue on their opposite side. By default as `Structures` and files state, and True for
        arrays, which do not.
    cutoff : int or sequence of int, optional
        Keep the lags from -c to c along each axis, in voxels. None keeps every lag: N along an axis if periodic (zero
        lag at index N//2), 2N-1 if not (zero lag at N-1).
    mask : array ``(*space)`` or ``(sample, *space)``, optional
        Weight of each voxel in [0, 1]; each voxel pair then counts with the product of its weights.

    Returns
    -------
    array ``(sample, *lag, correlation)``
        Same kind as X (dask for `Structures` and files), differentiable in torch; float64 if X is, otherwise float32.
        In memory, the correlations of a sample follow one another. Labels without a mask, or with a mask of integers,
        give the exact fraction of voxel pairs (up to about a million voxels per structure).

    Raises
    ------
    InputError
        For labels outside the phases or with gaps, NaN, pairs of absent phases, a cutoff beyond the window, a mask that
        is not in [0, 1] or leaves a lag without voxel pairs, a lone image without a sample axis, or a forgotten state
        axis. Invalid values in a dask array are found when it is computed.

    Warns
    -----
    UserWarning
        If an array may be something else than it is taken for: three equal axes, like one volume; a last axis of three
        or four, like colours; floating point values that are all 0 or 1, like labels.

    Notes
    -----
    Cecen, Fast & Kalidindi, Integrating Materials and Manufacturing Innovation 5, 1 (2016), eqs. 6 and 14.
    """
    form = form_of(X, phases, state_axis)
    pairs = resolve_correlations(correlations, form.phases)
    resolve_cutoff(form.space, periodic, cutoff)
    weights = read_mask(mask, X, form.space)
    states = sorted({state for pair in pairs for state in pair})
    local_pairs = tuple((states.index(i), states.index(j)) for i, j in pairs)
    # Phases of labels add up to one everywhere, so the last one is the complement, which needs no transforms.
    has_complement = len(states) == form.phases > 1 and periodic and mask is None
    transformed = states[:-1] if has_complement and form.kind == LABELS else states
    indicator = form.kind == LABELS and weights.binary
    counts = None
    if not weights.per_sample:
        dtype = result_dtype(X, form)
        counts = pair_counts(form.space, periodic=periodic, cutoff=cutoff, mask=weights.values, dtype=dtype)
        counts = counts.to(device=X.device if isinstance(X, Tensor) else None)

    def run(block: Tensor, block_mask: Tensor | None, out: Tensor | None = None) -> Tensor:
        check_values(block, form)
        fields = form.fields(block, transformed)
        if has_complement and form.kind == STATES and _sum_to_one(fields):
            fields = fields[:, :-1]
        unit = 1.0 if form.kind == LABELS else unit_of(fields)
        statistics = correlate(
            fields if unit == 1.0 else fields / unit,
            local_pairs,
            periodic=periodic,
            cutoff=cutoff,
            mask=block_mask,
            counts=counts,
            indicator=indicator,
            out=out,
            overwrite=form.kind == LABELS,
        )
        return in_squares_of(unit, statistics)

    shape = (*lag_shape(form.space, periodic, cutoff), len(pairs))
    voxels = len(transformed) * math.prod(transform_shape(form.space, periodic, cutoff))
    return map_structures(X, form, phases, run, shape, voxels, weights, in_place=True)


def _sum_to_one(fields: Tensor) -> bool:
    """Return whether local states sum to one at every voxel; never with gradients, where states are independent."""
    if fields.requires_grad and torch.is_grad_enabled():
        return False
    tolerance = 1e-12 if fields.dtype == torch.float64 else 1e-6
    return bool((fields.sum(1) - 1).abs().max() <= tolerance)


@of_structures
def volume_fractions(X: Any, *, state_axis: int | None = None, phases: int | str = "auto", mask: Any = None) -> Any:
    """Volume fraction of every phase in every structure.

    Parameters
    ----------
    X, spatial_dims, state_axis, phases, mask
        As in `two_point_stats`.

    Returns
    -------
    array ``(sample, phase)``
        Same kind as X. The volume fractions of labels sum to one; that of a continuous field is its mean.

    Raises
    ------
    InputError
        As in `two_point_stats`.
    """
    form = form_of(X, phases, state_axis)
    weights = read_mask(mask, X, form.space)

    def run(block: Tensor, block_mask: Tensor | None) -> Tensor:
        check_values(block, form)
        # One phase at a time: all phases together would take H times the memory.
        return torch.cat([_mean(form.fields(block, [state]), block_mask) for state in range(form.phases)], dim=1)

    return map_structures(X, form, phases, run, (form.phases,), math.prod(form.space), weights)


def _mean(field: Tensor, mask: Tensor | None) -> Tensor:
    values = field.flatten(2)
    if mask is None:
        return values.mean(-1)
    weights = mask.to(field).flatten(2 - field.ndim).unsqueeze(-2)
    return (values * weights).sum(-1) / weights.sum(-1)
