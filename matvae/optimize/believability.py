"""Believability of structures: pieces and surface, beside those of training windows.

Both grow where a search makes up dust, i.e. scattered single voxels, with which many properties are reached at little
cost.
"""

from __future__ import annotations

import numpy as np

from ..grid import Grid
from ..stats import surface_area
from ..stats.labelling import count_clusters

#: Units of the measures; ``length`` stands for the grid's unit, or voxels.
MEASURES = {"pieces": "1/(1000 voxels)", "total_surface": "1/length"}


def texture_of(structures: np.ndarray, grid: Grid) -> np.ndarray:
    """Measure how finely structures are divided.

    Parameters
    ----------
    structures : ndarray ``(sample, *space)``
        Labels.
    grid : Grid

    Returns
    -------
    ndarray ``(sample, measure)``
        In the order of `MEASURES`: clusters of all phases per 1000 voxels, whose voxels share faces; and area of all
        interfaces per volume, as `surface_area` measures it, each interface once.
    """
    pieces = count_clusters(structures, grid.phases, periodic=grid.periodic).sum(1)
    areas = surface_area(
        structures,
        spatial_dims=grid.ndim,
        phases=grid.phases,
        periodic=grid.periodic,
        voxel_size=grid.voxel_size,
    )
    return np.column_stack([1000 * pieces / grid.n_voxels, areas.sum(1) / 2])
