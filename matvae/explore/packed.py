"""Arrays packed for a page: base64 of the voxels, which the page draws, so that no picture is encoded per step."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..grid import Grid


def finite(value: float) -> float | None:
    """Return a number for JSON, which has no NaN."""
    return float(value) if math.isfinite(value) else None


def pack(array: np.ndarray) -> dict[str, Any]:
    """Pack an array for JSON.

    Parameters
    ----------
    array : ndarray

    Returns
    -------
    dict
        ``shape``; ``dtype``, ``"uint8"`` or ``"float32"`` (little-endian); ``data``, base64 in the order of the array.
    """
    dtype = np.dtype("uint8") if array.dtype.kind in "iub" else np.dtype("<f4")
    values = np.ascontiguousarray(array, dtype=dtype)
    return {
        "shape": list(values.shape),
        "dtype": "uint8" if dtype == np.uint8 else "float32",
        "data": base64.b64encode(values.tobytes()).decode("ascii"),
    }


def pack_statistics(statistics: np.ndarray, pairs: tuple[tuple[int, int], ...]) -> list[dict[str, Any]]:
    """Pack statistics ``(*lag, correlation)``: per pair, its name and central sections.

    Returns
    -------
    list of dict
        Per pair of phases ``name``, ``low`` and ``high`` of all lags, and ``sections``: one section through zero lag
        normal to each axis of a volume, the statistics themselves of images and lines.
    """
    packed = []
    for k, (first, second) in enumerate(pairs):
        values = statistics[..., k]
        if values.ndim == 3:
            sections = [values.take(n // 2, axis=axis) for axis, n in enumerate(values.shape)]
        else:
            sections = [np.atleast_2d(values)]
        name = f"autocorrelation of phase {first}" if first == second else f"phases {first} and {second}"
        packed.append(
            {
                "name": name,
                "low": float(values.min()),
                "high": float(values.max()),
                "sections": [pack(section) for section in sections],
            }
        )
    return packed


def describe_grid(grid: Grid, phase_names: Sequence[str] = ()) -> dict[str, Any]:
    """Return what a page needs to draw structures: shape, phases in words, axes, voxel size and unit."""
    names = [*phase_names, *[""] * grid.phases]
    return {
        "shape": list(grid.shape),
        "phases": grid.phases,
        "phase_texts": [f"phase {k}" + (f" ({names[k]})" if names[k] else "") for k in range(grid.phases)],
        "axes": list(grid.axes or ()),
        "voxel_size": list(grid.voxel_size or (1.0,) * grid.ndim),
        "unit": grid.length_unit,
        "text": grid.describe(),
    }
