"""What `reconstruct` takes as statistics and as a grid: also only the shape of the structures."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from ..given import OnGrid
from ..grid import Grid


def read_statistics(statistics: Any) -> Any:
    """Refuse structures and files in place of statistics.

    Raises
    ------
    InputError
        Saying how to compute the statistics of them.
    """
    if isinstance(statistics, OnGrid | str | os.PathLike):
        described = "structures" if isinstance(statistics, OnGrid) else f"the path {os.fspath(statistics)!r}"
        raise InputError(
            f"An array of 2-point statistics (sample, *lag, correlation) is expected, but {described} was given. "
            "Compute them with matvae.two_point_stats, which takes structures and files."
        )
    return statistics


def read_grid(
    grid: Any,
    statistics: Any,
    correlations: Sequence[Sequence[int]] | None = None,
    volume_fractions: Any = None,
) -> Grid:
    """Return the grid, or build one of a shape and of what the statistics tell.

    Parameters
    ----------
    grid : Grid, int, or sequence of int
        Grid, or number of voxels along each axis.
    statistics : array ``(sample, *lag, correlation)`` or None
        They have more lags than voxels only where structures are not periodic.
    correlations, volume_fractions
        As in `reconstruct`; they tell the number of phases.

    Raises
    ------
    InputError
        If the grid is neither, or the number of phases does not follow.
    """
    if isinstance(grid, Grid):
        return grid
    try:
        shape = (int(grid),) if np.ndim(grid) == 0 else tuple(int(n) for n in grid)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"grid must be a matvae.Grid or the shape of a structure, such as (64, 64), but {grid!r} was given."
        ) from error
    lags = () if statistics is None else tuple(np.shape(statistics))[1:-1]
    periodic = len(lags) != len(shape) or any(n_lags <= n for n_lags, n in zip(lags, shape, strict=True))
    return Grid(shape, phases=_count_phases(statistics, correlations, volume_fractions), periodic=periodic)


def _count_phases(statistics: Any, correlations: Any, volume_fractions: Any) -> int:
    if volume_fractions is not None:
        return int(np.shape(volume_fractions)[-1])
    if correlations is not None:
        return max(2, 1 + max(int(phase) for pair in correlations for phase in pair))
    n_correlations = 0 if statistics is None else int(np.shape(statistics)[-1])
    # The default set has H(H-1)/2 pairs of H phases.
    phases = (1 + math.isqrt(1 + 8 * n_correlations)) // 2
    if n_correlations == 0 or phases * (phases - 1) // 2 != n_correlations:
        raise InputError(
            f"The number of phases does not follow from {n_correlations} correlations. Pass a grid with it: "
            "grid=matvae.Grid(shape, phases=H)."
        )
    return phases
