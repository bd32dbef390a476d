"""The face of statistics: functions of arrays become functions of everything that structures come as."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import numpy as np

from ..boundaries import warn_of_open_boundaries
from ..errors import InputError
from ..given import Given, given, refuse_mask, refuse_one_dimension, warn_of_axes
from ..grid import DEFAULT_AXES
from .form import check_array

REMEDY = (
    "Pass periodic=False, and a cutoff of about half the window where there is one; if they are periodic nonetheless, "
    "pass periodic=True."
)
SPATIAL_DIMS = inspect.Parameter("spatial_dims", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="int | None")


def of_structures(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a statistic of arrays take `Structures`, paths and DataArrays, too, and the number of spatial axes.

    Parameters
    ----------
    function : callable
        ``function(X, *, state_axis=None, phases="auto", periodic=True, ...)`` of arrays ``(sample, *space)``.

    Returns
    -------
    callable
        The same function, with one more keyword: `spatial_dims` states the number of spatial axes, so that an array
        with that many axes is one structure. What is known of the structures (phases, boundaries, voxel size, mask) is
        passed to the function unless the caller states it.
    """
    signature = inspect.signature(function)
    parameters = signature.parameters

    @wraps(function)
    def statistic(X: Any, *, spatial_dims: int | None = None, **options: Any) -> Any:
        structures = given(stacked(X), spatial_dims=spatial_dims, state_axis=options.get("state_axis"))
        if structures.spatial_dims is None:
            check_array(structures.array)
            shape = structures.array.shape
            refuse_one_dimension(shape, structures.state_axis, one_dimensional="spatial_dims=1")
            warn_of_axes(shape, structures.state_axis, two_dimensional="spatial_dims=2")
        if "periodic" in parameters and "periodic" not in {*options, *structures.known}:
            _check_boundaries(structures)
        if structures.state_axis is not None:
            options["state_axis"] = structures.state_axis
        if structures.mask is not None:
            if "mask" not in parameters:
                refuse_mask(structures.mask, "The given set", "this statistic")
            if options.get("mask") is not None:
                raise InputError(
                    "The structures have a mask of their own, but mask was given, too. Combine them where the "
                    "structures are opened: open_structures(structures, mask=...)."
                )
            options["mask"] = structures.mask
        known = {name: value for name, value in structures.known.items() if name in parameters}
        return function(structures.array, **{**known, **options})

    # For help() and for `Statistic.options`.
    statistic.__signature__ = signature.replace(parameters=_with_spatial_dims(parameters))  # type: ignore[attr-defined]
    return statistic


def stacked(X: Any) -> Any:
    """Stack a list of numpy arrays, or a nested list of numbers, as `fit` does; anything else is left as it is.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    if not isinstance(X, list | tuple) or not all(isinstance(part, np.ndarray | list | tuple) for part in X):
        return X
    shapes = {np.shape(part) for part in X if isinstance(part, np.ndarray)}
    try:
        return np.asarray(X)
    except ValueError as error:
        raise InputError(
            "The structures of one set have the same shape, but the parts of the list differ"
            + (f": {', '.join(map(str, sorted(shapes)))}" if shapes else "")
            + ". Pass those of each shape by themselves, or cut windows of one size: matvae.data.windows."
        ) from error


def _check_boundaries(structures: Given) -> None:
    """Warn of an array in memory that is taken as periodic only because nobody said anything else."""
    array, state_axis = structures.array, structures.state_axis
    if not isinstance(array, np.ndarray) or not 2 <= array.ndim - (state_axis is not None) <= 4:
        return
    ndim = array.ndim - 1 - (state_axis is not None)
    states_last = array if state_axis is None else np.moveaxis(array, state_axis, -1)
    warn_of_open_boundaries(states_last, ndim, DEFAULT_AXES[ndim], remedy=REMEDY)


def _with_spatial_dims(parameters: Mapping[str, inspect.Parameter]) -> list[inspect.Parameter]:
    """Add the keyword; ``**options`` must remain the last parameter."""
    named = [parameter for parameter in parameters.values() if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    return [*named, SPATIAL_DIMS, *(parameter for parameter in parameters.values() if parameter not in named)]
