"""The class `Statistic`, and a registry that plugins extend by the entry point group ``matvae.statistics``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError, PluginError, did_you_mean
from ..registry import Registry
from .of_structures import of_structures

STATISTICS = Registry(
    "statistic",
    "matvae.statistics",
    {
        "two_point": "matvae.stats.builtin:TWO_POINT",
        "pair_correlation": "matvae.stats.builtin:PAIR_CORRELATION",
        "lineal_path": "matvae.stats.builtin:LINEAL_PATH",
        "chord_length": "matvae.stats.builtin:CHORD_LENGTH",
        "cluster": "matvae.stats.builtin:CLUSTER",
        "surface_area": "matvae.stats.builtin:SURFACE_AREA",
        "variogram": "matvae.stats.builtin:VARIOGRAM",
    },
)


@dataclass(frozen=True)
class Statistic:
    """A function of structures, with a description of its result.

    Parameters
    ----------
    name : str
        Name by which it is looked up.
    function : callable
        ``function(X, *, state_axis=None, phases="auto", periodic=True, ...)`` for numpy, dask (lazy) and torch
        arrays ``(sample, *space)`` in one to three dimensions, as `two_point_stats`; returns
        ``(sample, *coordinate, column)`` of the same kind. Here it also takes what `of_structures` lets it take.
    coordinates : callable
        ``coordinates(shape, axes, **options)`` takes the shape of one structure, the names of its axes, `periodic` and
        those options of the function that differ from their defaults. It returns the names and values of the axes of
        the result between sample and column.
    column : str
        Meaning of the last axis: ``"phase"``, with all H phases, or ``"correlation"``, with the pairs of phases in the
        option `correlations`, as in `two_point_stats`.
    differentiable : bool
        Whether the statistic of a torch tensor of soft fractions has a gradient. If not, tensors that require one are
        refused, and states must be 0 or 1.
    uses_voxel_size : bool
        Whether the function and the coordinates take a `voxel_size`.
    length_power : int
        Dimension of the values as a power of length: -1 for an area per volume.
    """

    name: str
    function: Callable[..., Any]
    coordinates: Callable[..., Mapping[str, np.ndarray]]
    column: str = "phase"
    differentiable: bool = True
    uses_voxel_size: bool = False
    length_power: int = 0

    def __post_init__(self) -> None:
        if "spatial_dims" not in self.options:
            object.__setattr__(self, "function", of_structures(self.function))

    def __call__(self, X: Any, **options: Any) -> Any:
        """Compute the statistic of structures."""
        return self.function(X, **options)

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options of the function."""
        return tuple(inspect.signature(self.function).parameters)[1:]

    def check_options(self, names: Collection[str]) -> None:
        """Refuse options that the function does not take.

        Raises
        ------
        InputError
            Naming the options that exist.
        """
        for name in names:
            if name not in self.options:
                raise InputError(
                    f"The statistic {self.name!r} takes the options {', '.join(self.options)}, "
                    f"but {name!r} was given.{did_you_mean(name, self.options)}"
                )


def get_statistic(name: str) -> Statistic:
    """Return the statistic called `name`, built in or from a plugin.

    Raises
    ------
    PluginError
        If there is none, or a plugin has registered something else under this name.
    """
    statistic = STATISTICS.get(name)
    if not isinstance(statistic, Statistic):
        raise PluginError(
            f"A statistic must be a matvae.stats.Statistic, but {STATISTICS.targets[name]}, registered as {name!r}, is "
            f"of type {type(statistic).__name__}. Update or uninstall the package that provides it."
        )
    return statistic
