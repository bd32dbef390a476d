"""Clusters: the connected pieces of a phase, also across the sides of a periodic structure."""

from __future__ import annotations

import itertools

import numpy as np


def label_clusters(inside: np.ndarray, connectivity: int = 1, periodic: bool = True) -> tuple[np.ndarray, int]:
    """Number the clusters of a phase.

    Parameters
    ----------
    inside : ndarray ``(*space)`` of bool
        Where the phase is.
    connectivity : int
        Voxels that share a face (1), also an edge (2), also a corner (3) are connected.
    periodic : bool
        Whether voxels at opposite sides are neighbours.

    Returns
    -------
    labels : ndarray ``(*space)`` of int
        0 outside of the phase, else the number of the voxel's cluster, from 1 on.
    n_clusters : int
        How many there are.
    """
    # These take a while to import, and no other statistic needs them.
    from scipy import ndimage
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    neighbours = ndimage.generate_binary_structure(inside.ndim, connectivity)
    labels, n_labels = ndimage.label(inside, structure=neighbours)
    if not periodic or n_labels < 2:
        return labels, n_labels
    links = [_links_across(labels, axis, connectivity) for axis in range(inside.ndim)]
    first, second = np.concatenate(links, axis=1)
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(n_labels + 1, n_labels + 1))
    # Nothing is linked to the background, so that it stays a component of its own, the first.
    n_components, components = connected_components(graph, directed=False)
    return components[labels], n_components - 1


def _links_across(labels: np.ndarray, axis: int, connectivity: int) -> np.ndarray:
    """Pairs ``(2, pair)`` of labels that touch each other across the sides of one axis."""
    last, first = labels.take(-1, axis), labels.take(0, axis)
    pairs = []
    for shift in itertools.product((-1, 0, 1), repeat=labels.ndim - 1):
        if 1 + np.count_nonzero(shift) > connectivity:
            continue
        moved = np.roll(first, shift, tuple(range(first.ndim))) if shift else first
        touching = (last > 0) & (moved > 0)
        pairs.append(np.stack([last[touching], moved[touching]]))
    return np.concatenate(pairs, axis=1)
