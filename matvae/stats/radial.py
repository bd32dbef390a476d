"""Radial averages of 2-point statistics: functions of the distance |r| alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..grid import voxel_edges
from .dispatch import block_voxels, result_dtype
from .form import LABELS, check_array, form_of
from .lags import Cutoff, lag_shape
from .map_samples import BlockFunction, is_dask, map_samples
from .of_structures import of_structures
from .two_point_stats import two_point_stats

Bins = int | Sequence[float] | None
# Squared radii, in units of the shortest voxel edge, are equal if they agree to this number of decimals.
DECIMALS = 9


def radial_average(
    statistics: Any,
    *,
    bins: Bins = None,
    max_radius: float | None = None,
    voxel_size: float | Sequence[float] | None = None,
) -> Any:
    """Average statistics over all lags of equal length ``|r|``.

    Parameters
    ----------
    statistics : array ``(sample, *lag, correlation)``
        Output of `two_point_stats`, zero lag at index n//2 along each axis; numpy, dask or torch.
    bins : int or sequence of float, optional
        Number of equally wide bins from zero to the longest lag, or the edges of the bins. None averages separately
        over every length that occurs: 0, 1, sqrt(2), 2, ...
    max_radius : float, optional
        Ignore longer lags.
    voxel_size : float or sequence of float, optional
        Edge length of a voxel along each axis. Bins and radii are in its unit, by default in voxels.

    Returns
    -------
    array ``(sample, radius, correlation)``
        Same kind as the statistics, differentiable in torch; the radii are those of `lag_radii`.

    Raises
    ------
    InputError
        If the array does not have this shape or contains NaN, or a bin contains no lag.

    Notes
    -----
    All lags in the array have the same weight; the largest radii occur only in its corners.
    """
    check_array(statistics)
    if not 3 <= len(statistics.shape) <= 5:
        raise InputError(
            "2-point statistics (sample, *lag, correlation) with one to three axes of lags are expected, but an array "
            f"of shape {tuple(statistics.shape)} was given. Append an axis to a single correlation: f[..., None]."
        )
    lags = tuple(int(n) for n in statistics.shape[1:-1])
    radii, group = _groups(lags, bins, max_radius, voxel_size)
    kept = torch.from_numpy(np.flatnonzero(group >= 0))
    target = torch.from_numpy(group[group >= 0])
    counts = torch.bincount(target, minlength=len(radii)).unsqueeze(-1)
    dtype = result_dtype(statistics)

    def run(block: Tensor, _: Tensor | None) -> Tensor:
        if not bool(torch.isfinite(block).all()):
            raise InputError("The statistics contain NaN or infinity; every lag needs a finite value.")
        # Sums over thousands of lags would lose digits in single precision, but Apple's GPUs have no double precision.
        wide = block.to(torch.float32 if block.device.type == "mps" else torch.float64)
        values = wide.flatten(1, -2)[:, kept.to(block.device)]
        sums = values.new_zeros(len(values), len(radii), values.shape[-1])
        return (sums.index_add(1, target.to(block.device), values) / counts.to(values)).to(dtype)

    shape = (len(radii), int(statistics.shape[-1]))
    samples = max(1, block_voxels() // (math.prod(lags) * shape[-1]))
    numpy_type = np.dtype(np.float64 if dtype == torch.float64 else np.float32)
    return map_samples(statistics, BlockFunction(run, lambda blocks: None, shape, numpy_type, samples))


@of_structures
def pair_correlation(
    X: Any,
    *,
    state_axis: int | None = None,
    phases: int | str = "auto",
    correlations: Sequence[Sequence[int]] | None = None,
    periodic: bool = True,
    cutoff: Cutoff = None,
    mask: Any = None,
    bins: Bins = None,
    max_radius: float | None = None,
    voxel_size: float | Sequence[float] | None = None,
) -> Any:
    """2-point statistics as a function of distance, averaged over all directions.

    Parameters
    ----------
    X, spatial_dims, state_axis, phases, correlations, periodic, cutoff, mask
        As in `two_point_stats`.
    bins, max_radius, voxel_size
        As in `radial_average`. The voxel size is by default that of `Structures`.

    Returns
    -------
    array ``(sample, radius, correlation)``
        Same kind as X, differentiable in torch.

    Raises
    ------
    InputError
        As in `two_point_stats` and `radial_average`.
    """
    form = form_of(X, phases, state_axis)
    # Refuse invalid bins before computing anything.
    lag_radii(lag_shape(form.space, periodic, cutoff), bins=bins, max_radius=max_radius, voxel_size=voxel_size)
    f = two_point_stats(
        X,
        spatial_dims=len(form.space),
        state_axis=state_axis,
        # A dask array should not be read a second time to count its phases.
        phases=form.phases if form.kind == LABELS and is_dask(X) else phases,
        correlations=correlations,
        periodic=periodic,
        cutoff=cutoff,
        mask=mask,
    )
    return radial_average(f, bins=bins, max_radius=max_radius, voxel_size=voxel_size)


def lag_radii(
    lags: Sequence[int],
    *,
    bins: Bins = None,
    max_radius: float | None = None,
    voxel_size: float | Sequence[float] | None = None,
) -> np.ndarray:
    """Radii of the result of `radial_average`.

    Parameters
    ----------
    lags : sequence of int
        Number of lags along each axis, as returned by `lag_shape`.
    bins, max_radius, voxel_size
        As in `radial_average`.

    Returns
    -------
    ndarray ``(radius,)``
        Lengths that occur, in ascending order; with bins, the mean length of the lags in each.

    Raises
    ------
    InputError
        If a bin contains no lag.
    """
    return _groups(tuple(lags), bins, max_radius, voxel_size)[0]


def _groups(
    lags: tuple[int, ...], bins: Bins, max_radius: float | None, voxel_size: float | Sequence[float] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Radii, and the index of the radius of each lag, -1 for none."""
    edges = voxel_edges(voxel_size, len(lags)) or (1.0,) * len(lags)
    shortest = min(edges)
    squares = np.zeros(lags)
    for axis, (n, edge) in enumerate(zip(lags, edges, strict=True)):
        steps = (np.arange(n) - n // 2) * (edge / shortest)
        squares += np.square(steps).reshape([-1 if i == axis else 1 for i in range(len(lags))])
    flat = squares.round(DECIMALS).ravel()
    lengths = shortest * np.sqrt(flat)
    if not (max_radius is None or (isinstance(max_radius, int | float | np.number) and max_radius >= 0)):
        raise InputError(f"max_radius must be a non-negative length, but {max_radius!r} was given.")
    kept = np.ones(len(flat), bool) if max_radius is None else lengths <= max_radius
    if bins is None:
        unique, inverse = np.unique(flat, return_inverse=True)
        n_kept = np.count_nonzero(shortest * np.sqrt(unique) <= (np.inf if max_radius is None else max_radius))
        return shortest * np.sqrt(unique[:n_kept]), np.where(kept, inverse, -1)
    bounds = _bin_edges(bins, float(lengths[kept].max()))
    group = np.searchsorted(bounds, lengths, side="right") - 1
    # As in numpy.histogram, the last bin includes its right edge.
    group[lengths == bounds[-1]] = len(bounds) - 2
    group[~kept | (lengths > bounds[-1])] = -1
    counts = np.bincount(group[group >= 0], minlength=len(bounds) - 1)
    if not counts.all():
        empty = int(np.argmin(counts))
        raise InputError(
            f"Each bin of radii needs a lag, but there is none between {bounds[empty]:.4g} and {bounds[empty + 1]:.4g} "
            f"({len(counts)} bins up to {bounds[-1]:.4g}). Use fewer bins, or bins=None for the lengths that occur."
        )
    return np.bincount(group[group >= 0], lengths[group >= 0]) / counts, group


def _bin_edges(bins: int | Sequence[float], longest: float) -> np.ndarray:
    try:
        edges = np.linspace(0, longest, bins + 1) if isinstance(bins, int) and bins > 0 else np.asarray(bins, float)
    except (TypeError, ValueError):
        edges = np.empty(0)
    if edges.ndim != 1 or len(edges) < 2 or not bool((np.diff(edges) > 0).all()) or edges[0] < 0:
        raise InputError(
            "bins must be a positive number of bins, or two or more non-negative edges in ascending order, but "
            f"{bins!r} was given."
        )
    return edges
