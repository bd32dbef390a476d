"""2-point cluster function: how often both ends of a stick lie in the same connected piece of a phase.

It is the sum of the autocorrelations of all clusters. Pairs of voxels are counted in integers: of small clusters one
by one, of large ones by a Fourier transform of the box that holds the cluster.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import torch
from scipy import fft
from torch import Tensor

from ..errors import InputError
from .correlate import pair_counts
from .dispatch import form_of, map_phases
from .labelling import label_clusters
from .lags import Cutoff, lag_ranges, lag_shape

# Up to this size of a cluster its pairs of voxels are counted one by one, so many pairs at a time.
FEW_VOXELS = 64
PAIRS_AT_ONCE = 1 << 20


def cluster_function(
    X: Any,
    *,
    state_axis: int | None = None,
    phases: int | str = "auto",
    periodic: bool = True,
    cutoff: Cutoff = None,
    connectivity: int = 1,
) -> Any:
    """2-point cluster function ``C2(r)``: probability that two voxels r apart lie in the same cluster of a phase.

    Parameters
    ----------
    X : array ``(sample, *space)`` or, with `state_axis`, ``(sample, *space, state)``
        Labels, or states of 0 and 1; numpy, dask or torch, as in `two_point_stats`.
    state_axis, phases, periodic, cutoff
        As in `two_point_stats`.
    connectivity : int
        Voxels belong together that share a face (1), also an edge (2), also a corner (3).

    Returns
    -------
    array ``(sample, *lag, phase)``
        Same kind as X, lags as in `two_point_stats`; zero lag is the volume fraction, and nowhere is it more than
        the phase's autocorrelation. It has no derivative, as clusters meet and part by whole voxels.

    Raises
    ------
    InputError
        As in `two_point_stats`, for fractions between 0 and 1, or for a tensor that requires a gradient.

    Notes
    -----
    Torquato, Beasley & Chiew, Journal of Chemical Physics 88, 6540 (1988).
    """
    if isinstance(X, Tensor) and X.requires_grad and torch.is_grad_enabled():
        raise InputError(
            "The cluster function has no gradient, but a tensor that requires one was given. Pass X.detach(), or "
            "follow another statistic, such as lineal_path."
        )
    form = form_of(X, phases, state_axis)
    space = form.space
    lags = lag_shape(space, periodic, cutoff)
    neighbours = _connectivity(connectivity, len(space))
    counts = pair_counts(space, periodic=periodic, cutoff=cutoff).numpy()

    def function(field: Tensor, _: Tensor | None) -> Tensor:
        values = field.cpu().numpy()
        inside = values == 1
        if not bool((inside | (values == 0)).all()):
            raise InputError(
                "Clusters need to know of every voxel whether it is in the phase, but there are values other than 0 "
                "and 1. Compare with a threshold first: (X > 0.5).astype('uint8')."
            )
        sums = np.stack([_pairs_in_clusters(one, neighbours, periodic, cutoff) for one in inside])
        return torch.from_numpy(sums / counts).to(field)

    return map_phases(X, form, phases, function, lags)


def _connectivity(connectivity: Any, ndim: int) -> int:
    try:
        number = 0 if isinstance(connectivity, bool | np.bool_) else operator.index(connectivity)
    except TypeError:
        number = 0
    if not 1 <= number <= ndim:
        raise InputError(
            f"connectivity must be 1 (voxels that share a face) to {ndim} (also a corner) in {ndim}-D, but "
            f"{connectivity!r} was given."
        )
    return number


def _pairs_in_clusters(inside: np.ndarray, connectivity: int, periodic: bool, cutoff: Cutoff) -> np.ndarray:
    """Number of pairs of voxels in one cluster at each lag ``(*lag)``."""
    space = inside.shape
    labels, n_clusters = label_clusters(inside, connectivity, periodic)
    voxels = np.flatnonzero(labels)
    order = np.argsort(labels.ravel()[voxels], kind="stable")
    # Voxels of a cluster lie next to each other: the i-th cluster has those from starts[i] to starts[i + 1].
    places = np.stack(np.unravel_index(voxels[order], space), axis=1)
    sizes = np.bincount(labels.ravel()[voxels], minlength=n_clusters + 1)[1:]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
    # Lags count modulo the torus, or a grid on which no two lags of a window meet.
    grid = space if periodic else tuple(2 * n - 1 for n in space)
    sums = np.zeros(grid, np.int64)
    for size in np.unique(sizes[sizes <= FEW_VOXELS]):
        members = starts[:-1][sizes == size, None] + np.arange(size)
        _count_pairs(places[members], sums)
    for index in np.flatnonzero(sizes > FEW_VOXELS):
        _correlate_box(places[starts[index] : starts[index + 1]], space, periodic, sums)
    for axis, (n, (negative, positive)) in enumerate(zip(grid, lag_ranges(space, periodic, cutoff), strict=True)):
        sums = sums.take(np.arange(-negative, positive) % n, axis)
    return sums


def _count_pairs(places: np.ndarray, sums: np.ndarray) -> None:
    """Add the pairs in clusters ``(cluster, voxel, axis)`` of one size, one by one."""
    step = max(1, PAIRS_AT_ONCE // places.shape[1] ** 2)
    for start in range(0, len(places), step):
        some = places[start : start + step]
        index = np.zeros((len(some), some.shape[1], some.shape[1]), np.intp)
        for axis, n in enumerate(sums.shape):
            along = some[:, :, axis]
            index = index * n + (along[:, None, :] - along[:, :, None]) % n
        sums += np.bincount(index.ravel(), minlength=sums.size).reshape(sums.shape)


def _correlate_box(places: np.ndarray, space: tuple[int, ...], periodic: bool, sums: np.ndarray) -> None:
    """Add the pairs in one cluster ``(voxel, axis)``, by the transform of a box around it."""
    moved, extents, shape = [], [], []
    for axis, n in enumerate(space):
        start, extent = _extent(places[:, axis], n, periodic)
        moved.append((places[:, axis] - start) % n)
        padded = fft.next_fast_len(2 * extent - 1, real=True)
        # A box as long as the torus wraps around like it; a shorter one must not.
        wraps = periodic and padded >= n
        extents.append(n if wraps else extent)
        shape.append(n if wraps else padded)
    box = np.zeros(shape)
    box[tuple(moved)] = 1
    spectrum = fft.rfftn(box)
    pairs = np.rint(fft.irfftn(np.square(spectrum.real) + np.square(spectrum.imag), s=shape)).astype(np.int64)
    targets = []
    for axis, (n, extent, length) in enumerate(zip(sums.shape, extents, shape, strict=True)):
        lags = np.arange(n) if length == n and extent == n else np.arange(1 - extent, extent)
        pairs = pairs.take(lags % length, axis)
        targets.append(lags % n)
    sums[np.ix_(*targets)] += pairs


def _extent(along: np.ndarray, n: int, periodic: bool) -> tuple[int, int]:
    """First place and length of the shortest stretch of an axis that holds all of the places."""
    taken = np.unique(along)
    if not periodic:
        return int(taken[0]), int(taken[-1] - taken[0] + 1)
    gaps = np.diff(taken, append=taken[0] + n)
    widest = int(gaps.argmax())
    return int(taken[(widest + 1) % len(taken)]), int(n - gaps[widest] + 1)
