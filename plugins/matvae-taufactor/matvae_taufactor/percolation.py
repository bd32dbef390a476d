"""Which part of a phase leads from one side of a structure to the other."""

from __future__ import annotations

import numpy as np

from matvae.stats.labelling import label_clusters


def percolating(inside: np.ndarray, axis: int = 0, periodic: bool = True) -> np.ndarray:
    """The voxels of a phase that are connected, through shared faces, to both sides of an axis.

    Parameters
    ----------
    inside : ndarray of bool ``(*space)``
        Where the phase is.
    axis : int
        The first and the last layer along it are to be connected, within the structure: that it continues along this
        axis does not count.
    periodic : bool
        Whether a path may leave through a side of another axis and come in at the opposite one.

    Returns
    -------
    ndarray of bool ``(*space)``
        All False where the phase does not percolate.
    """
    layers = np.moveaxis(inside, axis, 0)
    # A layer without the phase keeps the two sides of the axis apart when the structure is taken as periodic.
    padded = np.pad(layers, [(0, 1), *[(0, 0)] * (inside.ndim - 1)])
    clusters = label_clusters(padded, periodic=periodic)[0][:-1]
    through = np.intersect1d(clusters[0], clusters[-1])
    return np.moveaxis(np.isin(clusters, through[through > 0]), 0, axis)
