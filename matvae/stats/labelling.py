"""Labelling of clusters, the connected components of a phase, also across the boundaries of periodic structures."""

from __future__ import annotations

import itertools

import numpy as np


def label_clusters(inside: np.ndarray, connectivity: int = 1, periodic: bool = True) -> tuple[np.ndarray, int]:
    """Label the clusters of a phase.

    Parameters
    ----------
    inside : ndarray ``(*space)`` of bool
        Indicator of the phase.
    connectivity : int
        Voxels that share a face (1), also an edge (2), also a corner (3) are connected.
    periodic : bool
        Whether voxels on opposite sides are neighbours.

    Returns
    -------
    labels : ndarray ``(*space)`` of int
        0 outside of the phase, 1 to `n_clusters` inside.
    n_clusters : int
        Number of clusters.
    """
    # Slow to import, and needed for clusters only.
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
    # Nothing is linked to the background, which therefore remains component 0.
    n_components, components = connected_components(graph, directed=False)
    return components[labels], n_components - 1


def count_clusters(labels: np.ndarray, phases: int, connectivity: int = 1, periodic: bool = True) -> np.ndarray:
    """Count the clusters ``(sample, phase)`` of all phases of labels ``(sample, *space)``; see `label_clusters`."""
    return np.array(
        [
            [label_clusters(structure == phase, connectivity, periodic)[1] for phase in range(phases)]
            for structure in labels
        ]
    )


def _links_across(labels: np.ndarray, axis: int, connectivity: int) -> np.ndarray:
    """Pairs ``(2, pair)`` of labels that touch each other across the periodic boundary of an axis."""
    last, first = labels.take(-1, axis), labels.take(0, axis)
    pairs = []
    for shift in itertools.product((-1, 0, 1), repeat=labels.ndim - 1):
        if 1 + np.count_nonzero(shift) > connectivity:
            continue
        shifted = np.roll(first, shift, tuple(range(first.ndim))) if shift else first
        touching = (last > 0) & (shifted > 0)
        pairs.append(np.stack([last[touching], shifted[touching]]))
    return np.concatenate(pairs, axis=1)
