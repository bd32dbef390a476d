"""What a property of structures is, and all there are by name: plugins add theirs by ``matvae.properties``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..errors import InputError
from ..grid import Grid
from ..registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

PROPERTIES = Registry(
    "property",
    "matvae.properties",
    {
        "volume_fraction": "matvae.optimize.geometry:VolumeFraction",
        "specific_surface": "matvae.optimize.geometry:SpecificSurface",
        "correlation_length": "matvae.optimize.geometry:CorrelationLength",
        "statistics_error": "matvae.optimize.statistics:StatisticsError",
    },
)


@dataclass(frozen=True)
class Measured:
    """What a property measured on some structures.

    Parameters
    ----------
    values : ndarray ``(sample,)``
        float64; NaN where a structure does not have the property.
    reasons : tuple of (str or None)
        One a sample: why there is no value, None where there is one.
    """

    values: np.ndarray
    reasons: tuple[str | None, ...]

    @classmethod
    def of(cls, values: Sequence[float] | np.ndarray, why_not: str = "It has no value.") -> Measured:
        """Values with one reason for all that are not finite."""
        found = np.asarray(values, dtype=np.float64)
        known = np.isfinite(found)
        return cls(np.where(known, found, np.nan), tuple(None if ok else why_not for ok in known))


class Property(Protocol):
    """One number of a structure, measured on labels and, where that is possible, differentiable in soft fractions.

    A class of this form is registered by its name; its constructor's keyword arguments, which all have defaults, are
    the property's options.
    """

    @property
    def name(self) -> str:
        """By which it is asked for, and stored."""

    @property
    def unit(self) -> str:
        """Unit of the values; the word ``length`` in it stands for the grid's unit, or voxels. Empty for a ratio."""

    @property
    def differentiable(self) -> bool:
        """Whether there is `soft`."""

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Values of structures of labels ``(sample, *space)``."""

    def soft(self, fractions: Tensor, grid: Grid) -> Tensor:
        """Values ``(sample,)`` of soft phase fractions ``(sample, phase, *space)``, with a gradient.

        At fractions of 0 and 1 they equal what `measure` gives.
        """


def make_property(name: str, **options: Any) -> Property:
    """The property called `name`, built in or of a plugin, with its options.

    Raises
    ------
    PluginError
        If there is none of that name.
    InputError
        If it does not take an option, or not such a value.
    """
    made = PROPERTIES.get(name)
    try:
        return made(**options)
    except TypeError as error:
        raise InputError(
            f"The property {name!r} cannot be made with the options {sorted(options)}: {error}. Leave out what it does "
            "not take."
        ) from error


def unit_on(wanted: Property, grid: Grid) -> str:
    """Unit of a property's values on a grid, empty for a ratio."""
    return wanted.unit.replace("length", grid.unit or "voxel")
