"""What people pass where structures are expected, reduced to an array and what is known of it.

Arrays of numpy, dask and torch know nothing but their values. `Structures` and files know their grid, and an
`xarray.DataArray` the names of its axes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from .errors import InputError
from .grid import Grid
from .validate import integer, is_integer
from .warn import warn

SPACE = ("z", "y", "x")
SAMPLE = "sample"


class OnGrid:
    """Base of sets of structures that know their grid, as `matvae.Structures` do."""

    data: Any
    grid: Grid
    properties: Mapping[str, Any]
    attributes: Mapping[str, Any]
    mask: Any


@dataclass(frozen=True)
class Given:
    """An array ``(sample, ...)``, and what is known of the structures in it.

    Parameters
    ----------
    array : numpy, dask or torch array ``(sample, ...)``
    spatial_dims : int or None
        Number of spatial axes, if somebody stated it; None if only the array's own number of axes tells.
    state_axis : int or None
        Axis of the local states in `array`.
    known : mapping
        Those fields of `Grid` that are known, by name; empty for a plain array.
    phase_values : sequence or None
        Values that the phases had in the file they come from, if these are recorded.
    mask : dask array of bool ``(sample, *space)`` or None
        Voxels that belong to the sample, if not all do.
    properties, attributes : mapping
        As in `Structures`; empty for a plain array.
    """

    array: Any
    spatial_dims: int | None = None
    state_axis: int | None = None
    known: Mapping[str, Any] = field(default_factory=dict)
    phase_values: Any = None
    mask: Any = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


def opened(X: Any) -> Any:
    """Return the `Structures` in a file, or in a list of files; anything else as it is.

    Raises
    ------
    InputError
        If there is nothing readable, or the files do not belong together.
    """
    is_list = isinstance(X, list | tuple) and X and all(map(_is_path, X))
    return _data().open_structures(X) if is_list or _is_path(X) else X


def given(X: Any, *, spatial_dims: int | None = None, state_axis: int | None = None) -> Given:
    """Reduce what was passed to an array with a sample axis, and what is known of it.

    Parameters
    ----------
    X : array, Structures, path, list of paths, or xarray.DataArray
        Of a DataArray, the axis ``sample`` comes first wherever it is; without one, an array of the axes ``z``, ``y``
        and ``x`` is a single structure. Coordinates with units give the voxel size.
    spatial_dims : int, optional
        Number of spatial axes of one structure. An array with that many axes is one structure, an array with one more
        is ``(sample, *space)``.
    state_axis : int, optional
        Axis of the local states in X, which then is not a spatial one.

    Returns
    -------
    Given
        Other things than those above are its array, for the caller to refuse.

    Raises
    ------
    InputError
        If the number of axes is not the one that was stated, or a file cannot be read.
    """
    X = opened(X)
    if isinstance(X, OnGrid):
        return _from_grid(X, spatial_dims, state_axis)
    if _is_labelled(X):
        return _from_labelled(X, spatial_dims, state_axis)
    return _with_samples(X, spatial_dims, state_axis)


def refuse_masked_array(X: Any) -> None:
    """Refuse a masked array of numpy, whose mask would be lost.

    Raises
    ------
    InputError
        With what to pass instead.
    """
    if isinstance(X, np.ma.MaskedArray):
        raise InputError(
            "A plain array is expected, but a masked one was given. Pass matvae.Structures(X.filled(0), "
            "matvae.Grid(X.shape[1:], phases=2), mask=~numpy.ma.getmaskarray(X)), with the number of phases."
        )


def refuse_mask(mask: Any, source: Any, purpose: str) -> None:
    """Refuse structures with voxels outside a mask where these cannot be left out.

    Parameters
    ----------
    mask : array or None
        Mask of the structures.
    source : str or path
        Where they come from, for the message.
    purpose : str
        What cannot leave them out, such as ``"a model"``.

    Raises
    ------
    InputError
        If there is a mask.
    """
    if mask is not None:
        raise InputError(
            f"{source} holds structures with a mask, which {purpose} cannot leave out. Cut windows that lie inside the "
            "mask entirely: matvae.data.windows(structures, size, min_valid=1) (command line: matvae import STORE "
            "WINDOWS.zarr --window N --min-valid 1)."
        )


def spatial_lengths(shape: Sequence[int], state_axis: int | None) -> list[int]:
    """Return the number of voxels along each axis but those of samples, the first, and of local states."""
    states = state_axis % len(shape) if state_axis is not None and is_integer(state_axis) and shape else None
    return [n for axis, n in enumerate(shape) if axis not in (0, states)]


def refuse_one_dimension(shape: Sequence[int], state_axis: int | None, *, one_dimensional: str) -> None:
    """Refuse an array whose number of axes nobody stated, and that would hold structures in one dimension.

    Parameters
    ----------
    shape : sequence of int
        Of the array, sample axis first.
    state_axis : int or None
        Axis of local states.
    one_dimensional : str
        What to pass for structures in one dimension.

    Raises
    ------
    InputError
        These are rare, and images without a sample axis are not.
    """
    space = spatial_lengths(shape, state_axis)
    if len(space) == 1 and (state_axis is None or is_integer(state_axis)):
        one_image = "X[None]" if state_axis is None else "X[None] and state_axis=-1 with the states last"
        raise InputError(
            f"An array of shape {tuple(shape)} holds structures of {space[0]} voxels in one dimension, {shape[0]} of "
            f"them, or one image without a sample axis. For one image pass {one_image}; for structures in one "
            f"dimension pass {one_dimensional}."
        )


def warn_of_axes(
    shape: Sequence[int], state_axis: int | None, *, two_dimensional: str, one_structure: str = "{}"
) -> None:
    """Warn of an array whose number of axes nobody stated, and that may be something else than it is taken for.

    Parameters
    ----------
    shape, state_axis
        As in `refuse_one_dimension`.
    two_dimensional : str
        What to pass if it holds images, so that nothing is left to guess.
    one_structure : str
        What to pass of a single structure, which stands in place of the braces.

    Warns
    -----
    UserWarning
        If all three axes are equally long, as those of a volume, or the last axis is as long as that of colours.
    """
    shape, space = tuple(shape), spatial_lengths(shape, state_axis)
    if len(space) == 2 and shape[0] == space[0] == space[1]:
        warn(
            f"An array of shape {shape} is taken as {shape[0]} images of {space[0]} x {space[1]} voxels, although all "
            f"axes are equally long, as those of a volume. For one volume pass "
            f"{one_structure.format('X[None]')}; for images pass {two_dimensional}."
        )
    if state_axis is None and looks_like_colours(shape):
        channel = one_channel(shape) if len(shape) > 3 else one_structure.format(one_channel(shape))
        warn(
            f"The last axis of an array of shape {shape} is taken as space, but is as long as that of colours. If it "
            f"holds RGB(A) values, pass one channel, such as {channel}, or segment the images first."
        )


def looks_like_colours(shape: Sequence[int]) -> bool:
    """Return whether the last axis is as long as that of RGB or RGBA, and the two before it are those of an image."""
    return len(shape) > 2 and shape[-1] in (3, 4) and min(shape[-3:-1]) >= 8


def one_channel(shape: Sequence[int]) -> str:
    """Return what selects one channel of RGB(A) images ``(sample, y, x, channel)``, or of one image."""
    return "X[..., 0]" if len(shape) > 3 else "X[None, ..., 0]"


def _data() -> Any:
    # By name, and only once a file is to be read: statistics of arrays need neither dask nor any reader.
    return import_module("matvae.data")


def _is_path(X: Any) -> bool:
    return isinstance(X, str | os.PathLike)


def _is_labelled(X: Any) -> bool:
    """Whether X is an xarray.DataArray, without importing xarray."""
    return type(X).__module__.partition(".")[0] == "xarray" and type(X).__name__ == "DataArray"


def _from_grid(X: OnGrid, spatial_dims: int | None, state_axis: int | None) -> Given:
    grid = X.grid
    if spatial_dims not in (None, grid.ndim) or state_axis is not None:
        raise InputError(
            f"The structures have {grid.ndim} spatial axes and no axis of states, but spatial_dims={spatial_dims} and "
            f"state_axis={state_axis} were given. Leave them out."
        )
    known = {name: getattr(grid, name) for name in ("phases", "periodic", "axes", "voxel_size", "unit", "origin")}
    phase_values = X.attributes.get("phase_values")
    return Given(X.data, grid.ndim, None, known, phase_values, X.mask, X.properties, X.attributes)


def _from_labelled(X: Any, spatial_dims: int | None, state_axis: int | None) -> Given:
    """Put the axis ``sample`` first, or add it."""
    dims = [str(name) for name in X.dims]
    # An axis that does not exist is left to be refused by whoever needs it.
    is_axis = state_axis is not None and is_integer(state_axis) and -X.ndim <= state_axis < X.ndim
    states = X.dims[state_axis] if is_axis else None
    if SAMPLE in dims:
        X = X.transpose(X.dims[dims.index(SAMPLE)], ...)
    elif all(name in SPACE or name == states for name in dims):
        X = X.expand_dims(SAMPLE)
    axes = tuple(str(name) for name in X.dims[1:] if name != states)
    axis = X.dims.index(states) if is_axis else state_axis
    if not set(axes) <= set(SPACE):
        return _with_samples(X.data, spatial_dims, axis)
    if spatial_dims not in (None, len(axes)):
        raise InputError(
            f"The DataArray has the spatial axes {', '.join(axes)}, but spatial_dims={spatial_dims} was given. Leave "
            "it out, or rename the axes."
        )
    return Given(X.data, len(axes), axis, {"axes": axes, **_spacing(X, axes)})


def _spacing(X: Any, axes: tuple[str, ...]) -> dict[str, Any]:
    """Voxel size and unit by the coordinates of the axes, if all are evenly spaced in one unit; otherwise nothing."""
    units, edges = set(), []
    for name in axes:
        if name not in X.coords or X.sizes[name] < 2:
            return {}
        steps = np.diff(np.asarray(X.coords[name], dtype=float))
        if not steps[0] > 0 or not np.allclose(steps, steps[0]):
            return {}
        units.add(X.coords[name].attrs.get("units"))
        edges.append(float(steps.mean()))
    # Coordinates without a unit are often the numbers of the voxels.
    return {"voxel_size": tuple(edges), "unit": str(units.pop())} if len(units) == 1 and None not in units else {}


def _with_samples(array: Any, spatial_dims: int | None, state_axis: int | None) -> Given:
    """Add the sample axis to a single structure, if the number of its axes is stated."""
    if spatial_dims is None:
        return Given(array, None, state_axis)
    spatial_dims = integer("spatial_dims", spatial_dims, 1, 3)
    n_axes = np.ndim(array) - (state_axis is not None)
    if n_axes == spatial_dims + 1:
        return Given(array, spatial_dims, state_axis)
    if n_axes == spatial_dims:
        # A negative axis counts from the end, and stays what it is.
        shifted = state_axis if state_axis is None or state_axis < 0 else state_axis + 1
        return Given(array[None], spatial_dims, shifted)
    raise InputError(
        f"spatial_dims={spatial_dims} means an array of {spatial_dims} axes, or {spatial_dims + 1} with that of the "
        f"samples{'' if state_axis is None else ', and one of the states'}, but an array of shape "
        f"{tuple(np.shape(array))} was given. Reshape it, or correct spatial_dims."
    )
