"""Paths of face-sharing voxels from one side of a box to the other."""

from __future__ import annotations

import numpy as np


def crosses(inside: np.ndarray, axis: int) -> bool:
    """Return whether voxels of a phase connect the two sides of an axis through shared faces.

    Parameters
    ----------
    inside : ndarray of bool ``(*space)``
        Voxels of the phase.
    axis : int
        Axis whose first and last layer are to be connected, within the box: periodic boundaries do not count.
    """
    # Slow to import, and needed for constraints only.
    from scipy import ndimage

    clusters, _ = ndimage.label(inside)
    first, last = np.unique(clusters.take(0, axis)), np.unique(clusters.take(-1, axis))
    return bool(np.intersect1d(first, last)[-1:].any())


def path_through(inside: np.ndarray, allowed: np.ndarray, axis: int, straight: bool = False) -> np.ndarray | None:
    """Find the path across an axis with the fewest voxels outside the phase; of these, the shortest.

    Parameters
    ----------
    inside : ndarray of bool ``(*space)``
        Voxels of the phase.
    allowed : ndarray of bool ``(*space)``
        Voxels that the path may use.
    axis : int
    straight : bool
        Find the shortest path instead, whatever voxels it uses.

    Returns
    -------
    ndarray of int ``(step,)``, or None
        Indices into the flattened box; None if no path exists.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    n = inside.size
    cost = np.ones(n) if straight else np.where(inside.ravel(), 1 / n, 1.0)
    places: np.ndarray = np.arange(n).reshape(inside.shape)
    outer = places.take(0, axis)[allowed.take(0, axis)]
    # One more node, from which every allowed voxel of the first layer can be entered.
    steps = [np.stack([np.full(outer.size, n), outer.ravel()])]
    for along in range(inside.ndim):
        here = places.take(np.arange(places.shape[along] - 1), along)
        there = places.take(np.arange(1, places.shape[along]), along)
        free = allowed.ravel()[here] & allowed.ravel()[there]
        steps += [np.stack([here[free], there[free]]), np.stack([there[free], here[free]])]
    start, end = np.concatenate(steps, axis=1)
    graph = coo_array((cost[end], (start, end)), shape=(n + 1, n + 1)).tocsr()
    total, before = dijkstra(graph, indices=n, return_predecessors=True)
    last = places.take(-1, axis).ravel()
    step = int(last[total[last].argmin()])
    if not np.isfinite(total[step]):
        return None
    path = []
    while step != n:
        path.append(step)
        step = int(before[step])
    return np.array(path[::-1])
