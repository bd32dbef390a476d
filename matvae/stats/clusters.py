"""2-point cluster function: the probability that two voxels lie in the same cluster of a phase.

It is the sum of the autocorrelations of all clusters. Voxel pairs are counted in integers: one by one in small
clusters, by a Fourier transform of the bounding box in large ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import fft
from torch import Tensor

from ..errors import InputError
from ..validate import is_integer
from .correlate import pair_counts
from .dispatch import map_phases
from .form import form_of
from .labelling import label_clusters
from .lags import Cutoff, lag_ranges, lag_shape
from .of_structures import of_structures

# Voxel pairs in clusters of up to this number of voxels are counted one by one, this number of pairs at a time.
FEW_VOXELS = 64
PAIRS_AT_ONCE = 1 << 20


@of_structures
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
    spatial_dims, state_axis, phases, periodic, cutoff
        As in `two_point_stats`.
    connectivity : int
        Voxels are connected if they share a face (1), also an edge (2), also a corner (3); in 2-D an edge (1), also a
        corner (2).

    Returns
    -------
    array ``(sample, *lag, phase)``
        Same kind as X, lags as in `two_point_stats`. The value at zero lag is the volume fraction, and no value exceeds
        the phase's autocorrelation. There is no gradient, as clusters merge and separate by whole voxels.

    Raises
    ------
    InputError
        As in `two_point_stats`, for values other than 0 and 1, or for a tensor that requires a gradient.

    Notes
    -----
    Torquato, Beasley & Chiew, Journal of Chemical Physics 88, 6540 (1988).
    """
    if isinstance(X, Tensor) and X.requires_grad and torch.is_grad_enabled():
        raise InputError(
            "The cluster function has no gradient, but a tensor that requires one was given. "
            "Pass X.detach(), or use another statistic, such as lineal_path."
        )
    form = form_of(X, phases, state_axis)
    space = form.space
    lags = lag_shape(space, periodic, cutoff)
    _check_connectivity(connectivity, len(space))
    counts = pair_counts(space, periodic=periodic, cutoff=cutoff).numpy()

    def function(field: Tensor, _: Tensor | None) -> Tensor:
        values = field.cpu().numpy()
        inside = values == 1
        if not bool((inside | (values == 0)).all()):
            raise InputError(
                "Clusters need voxels that are either in the phase (1) or not (0), but there are other values. "
                "Compare with a threshold first: (X > 0.5).astype('uint8')."
            )
        sums = np.stack([_pairs_in_clusters(structure, connectivity, periodic, cutoff) for structure in inside])
        return torch.from_numpy(sums / counts).to(field)

    return map_phases(X, form, phases, function, lags)


def _check_connectivity(connectivity: Any, ndim: int) -> None:
    if not is_integer(connectivity) or not 1 <= connectivity <= ndim:
        raise InputError(
            f"connectivity must be 1 (voxels that share a face) to {ndim} (also a corner) in {ndim}-D, but "
            f"{connectivity!r} was given."
        )


def _pairs_in_clusters(inside: np.ndarray, connectivity: int, periodic: bool, cutoff: Cutoff) -> np.ndarray:
    """Number of voxel pairs in the same cluster at each lag ``(*lag)``."""
    space = inside.shape
    labels, n_clusters = label_clusters(inside, connectivity, periodic)
    voxels = np.flatnonzero(labels)
    order = np.argsort(labels.ravel()[voxels], kind="stable")
    # Sorted by cluster: the voxels of cluster i are those from starts[i] to starts[i + 1].
    positions = np.stack(np.unravel_index(voxels[order], space), axis=1)
    sizes = np.bincount(labels.ravel()[voxels], minlength=n_clusters + 1)[1:]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
    # Lags are counted modulo the periodic structure, or modulo a grid large enough for all lags of a window.
    grid = space if periodic else tuple(2 * n - 1 for n in space)
    sums = np.zeros(grid, np.int64)
    for size in np.unique(sizes[sizes <= FEW_VOXELS]):
        members = starts[:-1][sizes == size, None] + np.arange(size)
        _count_pairs(positions[members], sums)
    for index in np.flatnonzero(sizes > FEW_VOXELS):
        _correlate_box(positions[starts[index] : starts[index + 1]], space, periodic, sums)
    for axis, (n, (negative, positive)) in enumerate(zip(grid, lag_ranges(space, periodic, cutoff), strict=True)):
        sums = sums.take(np.arange(-negative, positive) % n, axis)
    return sums


def _count_pairs(positions: np.ndarray, sums: np.ndarray) -> None:
    """Count the voxel pairs in clusters ``(cluster, voxel, axis)`` of equal size one by one, and add them to `sums`."""
    step = max(1, PAIRS_AT_ONCE // positions.shape[1] ** 2)
    for start in range(0, len(positions), step):
        part = positions[start : start + step]
        index = np.zeros((len(part), part.shape[1], part.shape[1]), np.intp)
        for axis, n in enumerate(sums.shape):
            coordinate = part[:, :, axis]
            index = index * n + (coordinate[:, None, :] - coordinate[:, :, None]) % n
        sums += np.bincount(index.ravel(), minlength=sums.size).reshape(sums.shape)


def _correlate_box(positions: np.ndarray, space: tuple[int, ...], periodic: bool, sums: np.ndarray) -> None:
    """Count the voxel pairs in a cluster ``(voxel, axis)`` by the transform of its box, and add them to `sums`."""
    shifted, extents, shape = [], [], []
    for axis, n in enumerate(space):
        start, extent = _extent(positions[:, axis], n, periodic)
        shifted.append((positions[:, axis] - start) % n)
        padded = fft.next_fast_len(2 * extent - 1, real=True)
        # A box as long as the periodic structure wraps around like it; a shorter one must not.
        wraps = periodic and padded >= n
        extents.append(n if wraps else extent)
        shape.append(n if wraps else padded)
    box = np.zeros(shape)
    box[tuple(shifted)] = 1
    spectrum = fft.rfftn(box)
    pairs = np.rint(fft.irfftn(np.square(spectrum.real) + np.square(spectrum.imag), s=shape)).astype(np.int64)
    targets = []
    for axis, (n, extent, length) in enumerate(zip(sums.shape, extents, shape, strict=True)):
        lags = np.arange(n) if length == n and extent == n else np.arange(1 - extent, extent)
        pairs = pairs.take(lags % length, axis)
        targets.append(lags % n)
    sums[np.ix_(*targets)] += pairs


def _extent(coordinates: np.ndarray, n: int, periodic: bool) -> tuple[int, int]:
    """Start and length of the shortest interval of an axis that contains all coordinates."""
    occupied = np.unique(coordinates)
    if not periodic:
        return int(occupied[0]), int(occupied[-1] - occupied[0] + 1)
    gaps = np.diff(occupied, append=occupied[0] + n)
    widest = int(gaps.argmax())
    return int(occupied[(widest + 1) % len(occupied)]), int(n - gaps[widest] + 1)
