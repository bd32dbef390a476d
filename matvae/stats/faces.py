"""`two_point_stats` and `volume_fractions` for numpy, dask and torch arrays: same kind out as in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from .blocks import BlockFunction, as_tensor, is_dask, kind_of, map_samples
from .correlations import resolve_correlations
from .lags import Cutoff, lag_shape, resolve_cutoff
from .masks import Mask, read_mask
from .states import LABELS, Form, check_phases, check_state_axis, check_values, find_form
from .two_point import correlate, pair_counts, transform_shape

# Samples are taken in blocks whose spectra stay in the second-level cache of a usual core.
BLOCK_VOXELS = 1 << 18
# An accelerator wants large blocks; their spectra take about a gigabyte.
DEVICE_BLOCK_VOXELS = 1 << 26


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
        the spatial axes are merged.
    state_axis : int, optional
        Axis of the local states of a discretised array, as PyMKS makes it (last axis: -1).
    phases : int or ``"auto"``
        Number of phases H. ``"auto"`` takes the largest label (of a dask array this reads the data once).
    correlations : list of (int, int), optional
        Pairs of phases. By default the autocorrelation of phase 1, or for H phases the H(H-1)/2 pairs among
        phases 1 to H-1, which determine all others.
    periodic : bool
        Whether structures continue on their opposite side.
    cutoff : int or sequence of int, optional
        Keep the lags from -c to c along each axis, in voxels. None keeps every lag there is: N along an axis
        when periodic (zero lag at index N//2), 2N-1 when not (zero lag at N-1).
    mask : array ``(*space)`` or ``(sample, *space)``, optional
        Weight of each voxel in [0, 1]; statistics are then per pair of weights.

    Returns
    -------
    array ``(sample, *lag, correlation)``
        Same kind as X, differentiable in torch. float64 where X is, else float32. Of labels, without a mask
        or with one of integers, the exact fraction of voxel pairs (up to about a million voxels a structure).

    Raises
    ------
    InputError
        For labels outside the phases, NaN, pairs of absent phases, a cutoff beyond the window, a mask that is
        not in [0, 1] or leaves a lag without voxel pairs, or a forgotten state axis. Wrong values in a dask
        array are found when it is computed.

    Notes
    -----
    Cecen, Fast & Kalidindi, Integrating Materials and Manufacturing Innovation 5, 1 (2016), eqs. 6 and 14.
    """
    form = _form_of(X, phases, state_axis)
    pairs = resolve_correlations(correlations, form.phases)
    resolve_cutoff(form.space, periodic, cutoff)
    weights = read_mask(mask, X, form.space)
    states = sorted({state for pair in pairs for state in pair})
    local_pairs = tuple((states.index(i), states.index(j)) for i, j in pairs)
    # Labels are in some phase everywhere: the last phase is one minus the others, which saves its transform.
    implied = form.kind == LABELS and len(states) == form.phases and periodic and mask is None
    wanted = states[:-1] if implied else states
    indicator = form.kind == LABELS and weights.binary
    counts = None
    if not weights.per_sample:
        counts = pair_counts(form.space, periodic=periodic, cutoff=cutoff, mask=weights.values)
        counts = counts.to(device=X.device if isinstance(X, Tensor) else None, dtype=_tensor_type(X, form))

    def run(block: Tensor, own: Tensor | None) -> Tensor:
        check_values(block, form)
        return correlate(
            form.fields(block, wanted),
            local_pairs,
            periodic=periodic,
            cutoff=cutoff,
            mask=own,
            counts=counts,
            indicator=indicator,
        )

    shape = (*lag_shape(form.space, periodic, cutoff), len(pairs))
    voxels = len(wanted) * math.prod(transform_shape(form.space, periodic, cutoff))
    return _apply(X, form, phases, run, shape, voxels, weights)


def volume_fractions(X: Any, *, state_axis: int | None = None, phases: int | str = "auto", mask: Any = None) -> Any:
    """Volume fraction of every phase in every structure.

    Parameters
    ----------
    X, state_axis, phases, mask
        As in `two_point_stats`.

    Returns
    -------
    array ``(sample, phase)``
        Same kind as X; a row of labels sums to one. For a continuous field its mean.

    Raises
    ------
    InputError
        As in `two_point_stats`.
    """
    form = _form_of(X, phases, state_axis)
    weights = read_mask(mask, X, form.space)

    def run(block: Tensor, own: Tensor | None) -> Tensor:
        check_values(block, form)
        # One phase at a time: all of them would take H times the memory.
        return torch.cat([_mean(form.fields(block, [state]), own) for state in range(form.phases)], dim=1)

    return _apply(X, form, phases, run, (form.phases,), math.prod(form.space), weights)


def _mean(field: Tensor, mask: Tensor | None) -> Tensor:
    values = field.flatten(2)
    if mask is None:
        return values.mean(-1)
    weights = mask.to(field).flatten(2 - field.ndim).unsqueeze(-2)
    return (values * weights).sum(-1) / weights.sum(-1)


def _form_of(X: Any, phases: int | str, state_axis: int | None) -> Form:
    if not (isinstance(X, np.ndarray | Tensor) or is_dask(X)):
        raise InputError(
            f"A numpy, dask or torch array is expected, but {type(X).__name__} was given. Convert it with "
            "numpy.asarray, or pass the .data of opened structures."
        )
    if isinstance(X, np.ma.MaskedArray):
        raise InputError(
            "A plain array is expected, but a masked one was given. Pass X.filled(0) and "
            "mask=~numpy.ma.getmaskarray(X)."
        )
    if is_dask(X) and any(math.isnan(n) for n in X.shape):
        raise InputError(
            f"An array of known shape is expected, but the dask array has unknown chunk sizes (shape "
            f"{X.shape}), so its samples cannot be counted. Call X.compute_chunk_sizes() first."
        )
    kind = kind_of(X)
    if kind not in "biuf":
        raise InputError(
            f"Integer labels or real numbers are expected, but the array has the type {X.dtype}. Convert it "
            "with astype('uint8') for labels or astype('float32') for a field."
        )
    if min(X.shape, default=0) == 0:
        raise InputError(
            f"Structures are expected, but an empty array of shape {tuple(X.shape)} was given. Check the "
            "path or the selection it comes from."
        )

    def largest() -> int:
        top: Any = as_tensor(X).max() if isinstance(X, Tensor) else X.max()
        return int(top.compute() if is_dask(X) else top)

    return find_form(X.shape, kind != "f", phases=check_phases(phases), state_axis=state_axis, largest=largest)


def _tensor_type(X: Any, form: Form) -> torch.dtype:
    wide = kind_of(X) == "f" and X.dtype.itemsize >= 8
    return torch.float64 if wide and form.kind != LABELS else torch.float32


def _apply(X: Any, form: Form, phases: Any, run: Any, shape: tuple[int, ...], voxels: int, weights: Mask) -> Any:
    def check(blocks: Iterable[Tensor]) -> None:
        if isinstance(phases, str):
            check_state_axis(blocks, form)

    on_device = isinstance(X, Tensor) and X.device.type != "cpu"
    limit = DEVICE_BLOCK_VOXELS if on_device else BLOCK_VOXELS
    dtype = np.dtype(np.float64 if _tensor_type(X, form) == torch.float64 else np.float32)
    at_once = not on_device and voxels <= limit
    function = BlockFunction(run, check, shape, dtype, samples=max(1, limit // voxels), at_once=at_once)
    return map_samples(X, function, weights.values, mask_per_sample=weights.per_sample, state_axis=form.state_axis)
