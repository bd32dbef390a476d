"""The built-in statistics as `Statistic` objects, each with the coordinates of its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .chords import chord_length_distribution, chord_lengths
from .clusters import cluster_function
from .lags import Cutoff, lag_shape
from .lineal_path import lineal_path, lineal_path_lengths
from .radial import Bins, lag_radii, pair_correlation
from .statistic import Statistic
from .surface import surface_area
from .two_point_stats import two_point_stats
from .variogram import variogram

Coordinates = dict[str, np.ndarray]


def _lags(
    shape: Sequence[int], axes: Sequence[str], *, periodic: bool = True, cutoff: Cutoff = None, **_: Any
) -> Coordinates:
    lags = lag_shape(shape, periodic, cutoff)
    # Zero lag is at index n//2 of n lags: of N periodic ones as of 2N-1 or 2c+1 symmetric ones.
    return {f"lag_{axis}": np.arange(n) - n // 2 for axis, n in zip(axes, lags, strict=True)}


def _short_lags(
    shape: Sequence[int], axes: Sequence[str], *, periodic: bool = True, cutoff: Cutoff = 1, **_: Any
) -> Coordinates:
    return _lags(shape, axes, periodic=periodic, cutoff=cutoff)


def _radii(
    shape: Sequence[int],
    axes: Sequence[str],
    *,
    periodic: bool = True,
    cutoff: Cutoff = None,
    bins: Bins = None,
    max_radius: float | None = None,
    voxel_size: float | Sequence[float] | None = None,
    **_: Any,
) -> Coordinates:
    lags = lag_shape(shape, periodic, cutoff)
    return {"radius": lag_radii(lags, bins=bins, max_radius=max_radius, voxel_size=voxel_size)}


def _lengths(
    shape: Sequence[int],
    axes: Sequence[str],
    *,
    cutoff: int | None = None,
    axis: int | None = None,
    voxel_size: float | Sequence[float] | None = None,
    **_: Any,
) -> Coordinates:
    return {"length": lineal_path_lengths(shape, cutoff, axis, voxel_size)}


def _chords(
    shape: Sequence[int],
    axes: Sequence[str],
    *,
    periodic: bool = True,
    cutoff: int | None = None,
    axis: int | None = None,
    voxel_size: float | Sequence[float] | None = None,
    **_: Any,
) -> Coordinates:
    return {"length": chord_lengths(shape, periodic, cutoff, axis, voxel_size)}


def _no_coordinates(shape: Sequence[int], axes: Sequence[str], **_: Any) -> Coordinates:
    return {}


TWO_POINT = Statistic("two_point", two_point_stats, _lags, column="correlation")
PAIR_CORRELATION = Statistic("pair_correlation", pair_correlation, _radii, column="correlation", uses_voxel_size=True)
LINEAL_PATH = Statistic("lineal_path", lineal_path, _lengths, uses_voxel_size=True)
CHORD_LENGTH = Statistic("chord_length", chord_length_distribution, _chords, uses_voxel_size=True)
CLUSTER = Statistic("cluster", cluster_function, _lags, differentiable=False)
SURFACE_AREA = Statistic("surface_area", surface_area, _no_coordinates, uses_voxel_size=True, length_power=-1)
VARIOGRAM = Statistic("variogram", variogram, _short_lags)
