"""2-point statistics of a whole set of structures, streamed into a zarr group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data import open_structures
from ..stats import lag_shape, resolve_correlations, two_point_stats
from .arrays import new_array
from .blocks import Progress, sample_blocks, samples_per_block
from .outputs import check_output


def compute_statistics(
    data: str | Path,
    out: str | Path,
    *,
    correlations: Sequence[Sequence[int]] | None = None,
    periodic: bool | None = None,
    cutoff: int | Sequence[int] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compute the 2-point statistics of every structure of a store.

    Parameters
    ----------
    data : path
        Structures, whatever `open_structures` reads.
    out : path
        New zarr group: array ``statistics`` ``(sample, *lag, correlation)`` float32, coordinates ``lag_y``
        ... in voxels, and the properties of the structures.
    correlations : list of (int, int), optional
        Pairs of phases, by default those that determine all others.
    periodic : bool, optional
        By default what the store says.
    cutoff : int or sequence of int, optional
        Keep the lags from -c to c along each axis, in voxels.
    overwrite : bool
        Whether an existing result may be replaced.
    progress : callable, optional
        Called with the number of samples done and their total.

    Returns
    -------
    dict
        ``out``, ``shape``, ``dimensions``, ``correlations``, ``periodic``, ``cutoff``.

    Raises
    ------
    InputError, StoreError
        For bad data or parameters, or an output that cannot be written; nothing is left then.
    """
    target = check_output(out, [data], overwrite=overwrite)
    structures = open_structures(data)
    grid = structures.grid
    wrap = grid.periodic if periodic is None else periodic
    pairs = resolve_correlations(correlations, grid.phases)
    lags = lag_shape(grid.shape, wrap, cutoff)
    axes = grid.axes or ()
    dimensions = ("sample", *[f"lag_{axis}" for axis in axes], "correlation")
    shape = (len(structures), *lags, len(pairs))
    about = {
        "correlations": [list(pair) for pair in pairs],
        "periodic": wrap,
        "cutoff": list(cutoff) if isinstance(cutoff, Sequence) else cutoff,
        "grid": grid.to_dict(),
    }
    with new_array(target, "statistics", shape, dimensions, about) as writer:
        for start, block in sample_blocks(structures.data, samples_per_block(4 * math.prod(shape[1:]))):
            statistics = two_point_stats(block, phases=grid.phases, correlations=pairs, periodic=wrap, cutoff=cutoff)
            writer.append(statistics)
            if progress is not None:
                progress(start + len(block), len(structures))
        for axis, n in zip(axes, lags, strict=True):
            # The zero lag is the middle: n//2 for N periodic lags as for 2N-1 or 2c+1 symmetric ones.
            writer.add(f"lag_{axis}", np.arange(n) - n // 2, f"lag_{axis}", unit="voxel")
        for name, values in structures.properties.items():
            writer.add(name, values, "sample", unit=structures.units.get(name))
    return {"out": str(target), "shape": list(shape), "dimensions": list(dimensions), **about}
