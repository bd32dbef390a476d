"""Volumes from the 2-point statistics of plane sections.

A section of a volume contains the voxel pairs whose lag lies in its plane, so its 2-point statistics are those of the
volume at lags with one component zero: f(0, r_y, r_x) = f_yx(r_y, r_x) (Yeong & Torquato, Physical Review E 58, 224
(1998)). If the volume is isotropic, f depends on the length of the lag only, and one section is sufficient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..errors import InputError
from ..grid import Grid
from ..stats import lag_radii, lag_shape, radial_average, resolve_correlations
from ..stats.device import resolve_device
from .demands import read_demands
from .objective import Wanted
from .realise import Settings, realise
from .result import Reconstruction
from .target import read_target

# Largest difference between the volume fractions of sections, which vary with the position of the section.
FRACTIONS = 0.05


def reconstruct_volume(
    sections: Any,
    *,
    grid: Grid,
    correlations: Sequence[Sequence[int]] | None = None,
    also: Sequence[Wanted] = (),
    fixed: Any = None,
    percolates: Any = None,
    smoothing: float = 0.0,
    n_realizations: int | None = None,
    init: Any = None,
    method: str = "auto",
    tol: float = 1e-3,
    max_iter: int = 200,
    random_state: Any = None,
    device: str = "auto",
) -> Reconstruction:
    """Reconstruct volumes from the 2-point statistics of plane sections.

    Parameters
    ----------
    sections : mapping of str to array ``(sample, *lag, correlation)``, or one such array
        Statistics of sections, with two lag axes, keyed by the names of their axes: ``{"yx": f, "zx": g}``. Every axis
        of the grid must occur. A single array is the section of an isotropic material in any plane.
        Either the lags within a cutoff, an odd number along each axis with zero lag in the centre, or all lags of a
        periodic section as large as the grid.
    grid : Grid
        Grid of the volume, with the voxel size of the sections.
    correlations, also, fixed, percolates, smoothing, n_realizations, init, method, tol, max_iter, random_state, device
        As in `reconstruct`.

    Returns
    -------
    Reconstruction
        ``error`` refers to the lags that the sections prescribe; for an isotropic material, all lags up to the
        shortest cutoff. The volume fractions are the mean over the sections.

    Raises
    ------
    InputError
        If a section is inconsistent with the grid or with the other sections.
    """
    settings = Settings(n_realizations, init, method, tol, max_iter, random_state)
    torch_device = resolve_device(device)
    if grid.ndim != 3:
        raise InputError(f"A grid with three axes is expected, but its shape is {grid.shape}. Use reconstruct for it.")
    n_pairs = len(resolve_correlations(correlations, grid.phases))
    if isinstance(sections, Mapping):
        statistics, known = _from_planes(sections, grid, n_pairs)
    else:
        statistics, known = _from_isotropic(_checked("of the section", sections, n_pairs), grid)
    target, realizable = read_target(statistics, grid, correlations, torch_device, complete=False)
    target = replace(target, known=torch.from_numpy(known).to(torch_device))
    demands = read_demands(target, also=also, smoothing=smoothing, fixed=fixed, percolates=percolates)
    return realise(target, realizable, settings, demands)


def _from_planes(sections: Mapping[str, Any], grid: Grid, n_pairs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return statistics ``(sample, *lag, correlation)`` of the volume, zero where unknown, and the known lags."""
    axes = grid.axes or ()
    planes = {}
    for name, values in sections.items():
        pair = tuple(name)
        if len(pair) != 2 or pair[0] == pair[1] or not set(pair) <= set(axes):
            raise InputError(
                f"Name sections by two axes of the grid, such as {axes[1] + axes[2]!r}, but {name!r} was given."
            )
        plane_axes = (axes.index(pair[0]), axes.index(pair[1]))
        planes[plane_axes] = _checked(repr(name), values, n_pairs)
    missing = sorted(set(axes) - {axes[axis] for plane_axes in planes for axis in plane_axes})
    if missing:
        raise InputError(
            f"No section contains the axes {', '.join(missing)}. Add one that does, or for an isotropic material "
            "pass the array itself, without a name."
        )
    if len({len(values) for values in planes.values()}) > 1:
        raise InputError(
            f"All sections must have the same number of samples, but {[len(f) for f in planes.values()]} were given."
        )
    reach = [
        max((f.shape[1 + plane_axes.index(axis)] for plane_axes, f in planes.items() if axis in plane_axes))
        for axis in range(3)
    ]
    lags = _lags(grid, reach)
    centres = np.stack([f[:, f.shape[1] // 2, f.shape[2] // 2] for f in planes.values()])
    if np.ptp(centres, axis=0).max() > FRACTIONS:
        raise InputError(
            "Sections of one material must have the same volume fractions, but theirs differ at zero lag by up to "
            f"{np.ptp(centres, axis=0).max():.3g}. Average over more sections."
        )
    statistics = np.zeros((centres.shape[1], *lags, n_pairs), np.float32)
    seen = np.zeros(lags, np.int64)
    for (first, second), values in planes.items():
        index = _in_volume(grid, lags, (first, second), values)
        plane = values.transpose(0, 2, 1, 3) if first > second else values
        statistics[(slice(None), *index)] += plane
        seen[index] += 1
    # Average over the planes where they intersect; their statistics may differ by chance.
    statistics /= np.maximum(seen, 1)[..., None]
    return statistics, seen > 0


def _from_isotropic(section: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the same for an isotropic material, from the radial average of the section up to its shortest cutoff."""
    if grid.voxel_size is not None and len(set(grid.voxel_size)) > 1:
        raise InputError(
            f"A single section requires cubic voxels, but the voxel size of the grid is {grid.voxel_size}. "
            "Name the sections instead: {'yx': f, 'zx': g}."
        )
    reach = (min(section.shape[1:3]) - 1) // 2
    radii = lag_radii(section.shape[1:3], max_radius=reach)
    by_radius = radial_average(section, max_radius=reach)
    lags = _lags(grid, [2 * reach + 1] * 3)
    squares = [
        np.square(np.arange(n) - n // 2).reshape([-1 if i == axis else 1 for i in range(3)])
        for axis, n in enumerate(lags)
    ]
    lengths = np.sqrt(squares[0] + squares[1] + squares[2])
    known = lengths <= reach
    statistics = np.zeros((len(section), *lags, section.shape[-1]), np.float32)
    for sample, values in enumerate(by_radius):
        for k in range(section.shape[-1]):
            # Interpolate, since lengths such as the square root of 3 do not occur in a plane.
            statistics[sample, known, k] = np.interp(lengths[known], radii, values[:, k])
    return statistics, known


def _checked(name: str, values: Any, n_pairs: int) -> np.ndarray:
    array = np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values)
    if array.dtype.kind not in "biuf" or array.ndim != 4 or array.shape[-1] != n_pairs or 0 in array.shape:
        raise InputError(
            f"2-point statistics (sample, *lag, correlation) {name} with two lag axes and {n_pairs} correlations "
            f"are expected, but an array of shape {array.shape} and type {array.dtype} was given."
        )
    if not np.isfinite(array).all():
        raise InputError(f"Statistics {name} must be finite at every lag, but NaN or infinity was found.")
    return array.astype(np.float32)


def _lags(grid: Grid, reach: Sequence[int]) -> tuple[int, ...]:
    """Return the numbers of lags of the volume: all if it is periodic, else the most of any section along each axis."""
    if grid.periodic:
        return lag_shape(grid.shape, True)
    return tuple(min(n, 2 * size - 1) for n, size in zip(reach, grid.shape, strict=True))


def _in_volume(
    grid: Grid, lags: tuple[int, ...], plane_axes: tuple[int, int], values: np.ndarray
) -> tuple[np.ndarray | int, ...]:
    """Return the index of the lags of a section, in the order of the axes of the volume."""
    index: list[Any] = [n // 2 for n in lags]
    for axis, n in zip(plane_axes, values.shape[1:3], strict=True):
        size = grid.shape[axis]
        largest = (size - 1) // 2 if grid.periodic else size - 1
        if not (n % 2 and n // 2 <= largest) and not (grid.periodic and n == size):
            kind = "periodic" if grid.periodic else "non-periodic"
            raise InputError(
                f"For a {kind} volume of {size} voxels along {(grid.axes or '')[axis]}, sections have an odd number of "
                f"lags along it, up to {largest} to each side{f', or all {size}' if grid.periodic else ''}, but {n} "
                "were given. Crop their statistics to a cutoff."
            )
        index[axis] = np.arange(n) - n // 2 + lags[axis] // 2
    first = min(plane_axes)
    index[first] = index[first][:, None]
    return tuple(index)
