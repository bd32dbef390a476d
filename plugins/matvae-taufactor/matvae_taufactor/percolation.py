"""Percolating part of a phase."""

from __future__ import annotations

import numpy as np

from matvae.stats.labelling import label_clusters


def percolating(inside: np.ndarray, axis: int = 0, periodic: bool = True) -> np.ndarray:
    """Voxels of a phase that are connected, through shared faces, to both sides along an axis.

    Parameters
    ----------
    inside : ndarray of bool ``(*space)``
        Voxels of the phase.
    axis : int
        Axis whose first and last layers must be connected within the structure; periodicity along it is ignored.
    periodic : bool
        Whether paths may cross the sides of the other axes periodically.

    Returns
    -------
    ndarray of bool ``(*space)``
        False everywhere if the phase does not percolate.
    """
    layers = np.moveaxis(inside, axis, 0)
    # An empty layer separates the two sides along the axis when clusters are labelled periodically.
    padded = np.pad(layers, [(0, 1), *[(0, 0)] * (inside.ndim - 1)])
    clusters = label_clusters(padded, periodic=periodic)[0][:-1]
    spanning = np.intersect1d(clusters[0], clusters[-1])
    return np.moveaxis(np.isin(clusters, spanning[spanning > 0]), 0, axis)
