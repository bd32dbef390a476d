"""What a statistic is, and all there are by name: plugins add theirs by the entry point group ``matvae.statistics``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..errors import InputError, PluginError
from ..registry import Registry

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
    },
)


@dataclass(frozen=True)
class Statistic:
    """A function of structures, and what its result means.

    Parameters
    ----------
    name : str
        By which it is asked for.
    function : callable
        ``function(X, *, state_axis=None, phases="auto", periodic=True, ...)`` for numpy, dask (lazy) and torch
        arrays ``(sample, *space)`` in one to three dimensions, as `two_point_stats`; gives
        ``(sample, *coordinate, column)`` of the same kind.
    coordinates : callable
        ``coordinates(shape, axes, **options)`` gives, for one structure's shape and the names of its axes, the names
        and values of the result's axes between sample and column. It gets the options of the function that differ
        from their defaults, and `periodic`.
    column : str
        What the last axis counts: ``"phase"``, all H of them, or ``"correlation"``, pairs of phases that an option
        `correlations` names as in `two_point_stats`.
    differentiable : bool
        Whether a torch tensor of soft fractions gets a gradient; otherwise one that requires it is refused, and
        states are 0 or 1.
    uses_voxel_size : bool
        Whether the function and the coordinates take a `voxel_size`.
    length_power : int
        Power of a length that the values are: -1 for an area per volume.
    """

    name: str
    function: Callable[..., Any]
    coordinates: Callable[..., Mapping[str, np.ndarray]]
    column: str = "phase"
    differentiable: bool = True
    uses_voxel_size: bool = False
    length_power: int = 0

    def __call__(self, X: Any, **options: Any) -> Any:
        """The statistic of structures: what the function gives."""
        return self.function(X, **options)

    @property
    def options(self) -> tuple[str, ...]:
        """Names of what the function can be told."""
        return tuple(inspect.signature(self.function).parameters)[1:]

    def check_options(self, names: Collection[str]) -> None:
        """Refuse options that the function does not have.

        Raises
        ------
        InputError
            Naming the ones there are.
        """
        for name in names:
            if name not in self.options:
                close = get_close_matches(name, self.options, n=1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise InputError(
                    f"The statistic {self.name!r} takes the options {', '.join(self.options)}, but {name!r} was "
                    f"given.{hint}"
                )


def get_statistic(name: str) -> Statistic:
    """The statistic called `name`, built in or of a plugin.

    Raises
    ------
    PluginError
        If there is none, or if a plugin holds something else under this name.
    """
    found = STATISTICS.get(name)
    if not isinstance(found, Statistic):
        raise PluginError(
            f"A statistic is a matvae.stats.Statistic, but {STATISTICS.targets[name]}, registered as {name!r}, is "
            f"{type(found).__name__}. Update or uninstall the package that provides it."
        )
    return found
