"""Arrays of numpy, dask and xarray, and lists of images, described as readers describe those in files."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import dask.array as da
import numpy as np

from ..errors import InputError
from .axes import SPACE
from .lazy_array import Box, LazyArray, choose_chunks
from .readers import Source

_SOURCE = "The given array"
_LETTERS = {
    "sample": "s",
    "time": "t",
    "channel": "c",
    "state": "c",
    "phase": "c",
    **{letter: letter for letter in "stczyx"},
}
# Coordinates may be rounded to about six digits.
_TOLERANCE = 1e-4


def array_source(array: Any, name: str | None) -> Source:
    """Describe an array; xarray states the names of its axes, and its coordinates the voxel size and the origin.

    Parameters
    ----------
    array : array-like
        Array of numpy, dask or xarray, or a list of images ``(y, x)`` or volumes of one size, which are samples.
    name : str or None
        Must be None: arrays have no names to choose from.

    Raises
    ------
    InputError
        If it is not an array of integers or real numbers with axes of one length each.
    """
    if name is not None:
        raise InputError(f"An array has no names to choose from, but name={name!r} was given. Omit name.")
    xarray = sys.modules.get("xarray")
    if xarray is not None and isinstance(array, xarray.DataArray):
        return _labelled(array)
    if isinstance(array, list | tuple) and array and all(isinstance(entry, np.ndarray) for entry in array):
        return _listed(list(array))
    return Source(_lazy(array))


def _labelled(array: Any) -> Source:
    letters = "".join(_LETTERS.get(str(dim), "q") for dim in array.dims)
    space = [str(dim) for dim in array.dims if str(dim) in SPACE]
    if not space:
        return Source(_lazy(array.data))
    centres = [np.asarray(array.coords[dim], dtype=float) if dim in array.coords else np.empty(0) for dim in space]
    edges = [_edge(values) for values in centres]
    voxel_size, origin = None, None
    if all(edge is not None for edge in edges):
        voxel_size = tuple(float(edge) for edge in edges if edge is not None)
        origin = tuple(float(values[0] - edge / 2) for values, edge in zip(centres, voxel_size, strict=True))
    units = {str(array.coords[dim].attrs.get("units")) for dim in space if dim in array.coords} - {"None"}
    return Source(_lazy(array.data), None, voxel_size, units.pop() if len(units) == 1 else None, letters, origin)


def _listed(images: list[np.ndarray]) -> Source:
    if len({image.shape for image in images}) > 1:
        shapes = ", ".join(str(image.shape) for image in images[:4]) + (", ..." if len(images) > 4 else "")
        raise InputError(
            f"Images in a list should have one size, but their shapes are {shapes}. Cut windows of one size from each "
            "with matvae.data.windows first."
        )
    return Source(_lazy(np.asarray(images)), axes=f"s{SPACE[-images[0].ndim :]}" if 1 <= images[0].ndim <= 3 else None)


def _lazy(array: Any) -> LazyArray:
    if not isinstance(array, da.Array):
        try:
            array = np.asarray(array)
        except ValueError as error:
            raise InputError(
                f"Structures need an array with axes of one length each, but the lists given differ ({error}). Cut the "
                "images to one size first."
            ) from error
    if array.dtype.kind not in "biuf":
        raise InputError(
            "Structures should be a path, a list of paths, Structures, or an array of integers or real numbers, but "
            f"the values given are {array.dtype}. Images of different sizes cannot be held in one array: cut them to "
            "one size first."
        )
    if isinstance(array, np.ndarray):
        return LazyArray(
            _SOURCE, array.shape, array.dtype, choose_chunks(array.shape, array.dtype), partial(_take, array)
        )
    if np.isnan(array.shape).any():
        raise InputError(
            f"Structures need an array of known shape, but the dask array has the shape {array.shape}. Call "
            "compute_chunk_sizes() on it first."
        )
    return LazyArray(_SOURCE, array.shape, array.dtype, array.chunks, partial(_compute, array))


def _edge(centres: np.ndarray) -> float | None:
    """Return the distance between voxel centres, if it is the same for all and positive."""
    if len(centres) < 2:
        return None
    steps = np.diff(centres)
    edge = float(steps.mean())
    return edge if edge > 0 and np.allclose(steps, edge, rtol=_TOLERANCE, atol=0) else None


def _take(array: np.ndarray, box: Box) -> np.ndarray:
    return array[box]


def _compute(array: da.Array, box: Box) -> np.ndarray:
    # Runs inside a task of dask, which must not start threads of its own.
    return np.asarray(array[box].compute(scheduler="synchronous"))
