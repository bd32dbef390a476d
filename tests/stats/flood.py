"""Cluster labels by a flood fill, from voxel to neighbouring voxel."""

from __future__ import annotations

import itertools

import numpy as np


def flood(inside: np.ndarray, connectivity: int, periodic: bool) -> np.ndarray:
    """Return the cluster number of each voxel, 0 outside the phase."""
    steps = [s for s in itertools.product((-1, 0, 1), repeat=inside.ndim) if 0 < np.abs(s).sum() <= connectivity]
    labels = np.zeros(inside.shape, int)
    for seed in np.argwhere(inside):
        if labels[tuple(seed)]:
            continue
        stack, number = [tuple(seed)], labels.max() + 1
        while stack:
            voxel = stack.pop()
            if labels[voxel] or not inside[voxel]:
                continue
            labels[voxel] = number
            for step in steps:
                neighbour = np.add(voxel, step)
                neighbour = neighbour % inside.shape if periodic else neighbour
                if (neighbour >= 0).all() and (neighbour < inside.shape).all():
                    stack.append(tuple(neighbour))
    return labels
