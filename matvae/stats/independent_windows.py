"""Number of independent windows in a set whose windows may overlap, from the structures alone.

Windows cut with overlap share pieces of the same picture. Counting the distinct patches of all windows, relative to
the number of patches in one window, tells how many windows without overlap would show as much material.
"""

from __future__ import annotations

import numpy as np

# Edge of a patch relative to the window, and the least one.
EDGE_SHARE = 6
LEAST_EDGE = 8
# Neighbouring voxels of different phases in a patch, as a multiple of those across a flat interface: patches with fewer
# are so simple that they coincide by chance.
LEAST_INTERFACE = 2


def independent_windows(labels: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Estimate how many windows without overlap show as much material as these.

    Parameters
    ----------
    labels : array of int ``(sample, *space)``
    mask : array of bool ``(sample, *space)``, optional
        Voxels that belong to the sample: only patches inside it count, and a window as much as it has of these.

    Returns
    -------
    float
        At most the number of samples; about a fifth too high for windows that overlap on all sides.
    """
    edges = [min(n, max(LEAST_EDGE, n // EDGE_SHARE)) for n in labels.shape[1:]]
    labels = labels if mask is None else np.where(mask, labels, 0)
    hashes, counted, n_windows = _patch_hashes(labels, edges), _is_complex(labels, edges), float(len(labels))
    if mask is not None:
        is_inside = _box_sums(mask.astype(np.int32), edges) == np.prod(edges)
        counted &= is_inside
        n_windows *= is_inside.mean()
    hashes = hashes[counted]
    return n_windows * len(np.unique(hashes)) / hashes.size if hashes.size else n_windows


def independent_among(some: np.ndarray, n: int) -> float:
    """Estimate how many of `n` windows are independent from some of them that follow one another; at least one.

    Parameters
    ----------
    some : array of int ``(sample, *space)``
        Windows that follow one another are those that overlap.
    n : int
    """
    return max(1.0, independent_windows(some) / len(some) * n)


def _patch_hashes(labels: np.ndarray, edges: list[int]) -> np.ndarray:
    """Hashes ``(sample, *position)`` of all patches, a polynomial of their labels modulo 2^64."""
    rng = np.random.default_rng(0)
    hashes = labels.astype(np.uint64) + np.uint64(1)
    for axis, edge in enumerate(edges, start=1):
        factors = rng.integers(1, 2**63, edge, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        n = hashes.shape[axis] - edge + 1
        total = factors[0] * _slice(hashes, axis, 0, n)
        for k in range(1, edge):
            total += factors[k] * _slice(hashes, axis, k, n)
        hashes = total
    return hashes


def _is_complex(labels: np.ndarray, edges: list[int]) -> np.ndarray:
    """Whether patches ``(sample, *position)`` have more interface than a few flat ones."""
    changes = np.zeros(labels.shape, dtype=np.int32)
    for axis in range(1, labels.ndim):
        n = labels.shape[axis]
        _slice(changes, axis, 1, n - 1)[...] += _slice(labels, axis, 1, n - 1) != _slice(labels, axis, 0, n - 1)
    face = min(np.prod(edges) // edge for edge in edges)
    return _box_sums(changes, edges) >= LEAST_INTERFACE * face


def _box_sums(values: np.ndarray, edges: list[int]) -> np.ndarray:
    """Sums ``(sample, *position)`` of values ``(sample, *space)`` over all patches."""
    for axis, edge in enumerate(edges, start=1):
        n = values.shape[axis] - edge + 1
        pad = [(0, 0)] * values.ndim
        pad[axis] = (1, 0)
        sums = np.pad(values.cumsum(axis), pad)
        values = _slice(sums, axis, edge, n) - _slice(sums, axis, 0, n)
    return values


def _slice(array: np.ndarray, axis: int, start: int, n: int) -> np.ndarray:
    return array[(slice(None),) * axis + (slice(start, start + n),)]
