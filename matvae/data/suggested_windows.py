"""Windows to begin with: of what size to cut them from an image or a volume, so that a model can be fitted to them."""

from __future__ import annotations

import math
from collections.abc import Sequence

# Windows side by side: about as many as a nonlinear model of five components needs, see `StatisticsFit.order`.
ENOUGH = 50
# Edges, the largest of which depends on the dimension: statistics of large volumes take hours.
SMALLEST = 32
LARGEST = {1: 256, 2: 256, 3: 32}
# Voxels of all windows together, overlapping or not, whose statistics take about a minute at most.
MOST_VOXELS = 6e7
# Strides, as fractions of the edge.
FRACTIONS = (4, 2, 1)


def suggested_windows(n_samples: int, shape: Sequence[int]) -> tuple[int, int] | None:
    """Choose windows by the size of structures alone; features are not looked at.

    About 50 windows should fit side by side, so that they show different material. They overlap by as much as is
    affordable.

    Parameters
    ----------
    n_samples : int
        Number of structures.
    shape : sequence of int
        Of each, along one to three axes.

    Returns
    -------
    (int, int) or None
        Edge and stride in voxels. None if no windows are needed, since there are many structures that are not large, or
        if the structures are too small to be cut.
    """
    ndim = len(shape)
    is_set = n_samples >= ENOUGH and n_samples * math.prod(shape) <= MOST_VOXELS
    if is_set or min(shape) < 2 * SMALLEST:
        return None
    size = SMALLEST
    while 2 * size <= LARGEST[ndim] and n_samples * math.prod(n // (2 * size) for n in shape) >= ENOUGH:
        size *= 2
    strides = [size // fraction for fraction in FRACTIONS]
    affordable = [s for s in strides if n_samples * _count(shape, size, s) * size**ndim <= MOST_VOXELS]
    return size, (affordable or strides[-1:])[0]


def _count(shape: Sequence[int], size: int, stride: int) -> int:
    return math.prod((n - size) // stride + 1 for n in shape)
