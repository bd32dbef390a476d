"""Clusters found by walking from voxel to neighbouring voxel."""

from __future__ import annotations

import itertools

import numpy as np


def flood(inside: np.ndarray, connectivity: int, periodic: bool) -> np.ndarray:
    """Number of each voxel's cluster, 0 outside of the phase."""
    steps = [s for s in itertools.product((-1, 0, 1), repeat=inside.ndim) if 0 < np.abs(s).sum() <= connectivity]
    labels = np.zeros(inside.shape, int)
    for seed in np.argwhere(inside):
        if labels[tuple(seed)]:
            continue
        waiting, number = [tuple(seed)], labels.max() + 1
        while waiting:
            place = waiting.pop()
            if labels[place] or not inside[place]:
                continue
            labels[place] = number
            for step in steps:
                there = np.add(place, step)
                there = there % inside.shape if periodic else there
                if (there >= 0).all() and (there < inside.shape).all():
                    waiting.append(tuple(there))
    return labels
