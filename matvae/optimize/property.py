"""Interface and registry of structure properties; plugins register theirs under ``matvae.properties``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from ..errors import InputError
from ..grid import Grid
from ..registry import Registry
from ..shown import Shown

if TYPE_CHECKING:
    from torch import Tensor

    from ..model import StatsVAE

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


@dataclass(frozen=True, repr=False)
class Measured(Shown):
    """Measured values of a property.

    Parameters
    ----------
    values : ndarray ``(sample,)``
        float64; NaN for structures on which the property is not defined.
    reasons : tuple of (str or None)
        Per sample, the reason for a missing value, or None if there is a value.
    """

    values: np.ndarray
    reasons: tuple[str | None, ...]

    @classmethod
    def of(cls, values: Sequence[float] | np.ndarray, reason: str = "It has no value.") -> Measured:
        """Wrap values, with one common reason for all that are not finite."""
        values = np.asarray(values, dtype=np.float64)
        is_finite = np.isfinite(values)
        return cls(np.where(is_finite, values, np.nan), tuple(None if finite else reason for finite in is_finite))


class Property(Protocol):
    """A scalar property of a structure, measured on labels and, where possible, differentiable in soft fractions.

    A class that implements this protocol is registered by name. The keyword arguments of its constructor, all of which
    have defaults, are the options of the property.
    """

    @property
    def name(self) -> str:
        """Name under which the property is requested and stored."""

    @property
    def unit(self) -> str:
        """Unit of the values; ``length`` in it stands for the grid's unit, or voxels. Empty if dimensionless."""

    @property
    def differentiable(self) -> bool:
        """Whether the property implements `soft`."""

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Measure the labels ``(sample, *space)`` of structures."""

    def soft(self, fractions: Tensor, grid: Grid) -> Tensor:
        """Values ``(sample,)``, with a gradient, of soft phase fractions ``(sample, phase, *space)``.

        For fractions of 0 and 1 they equal the values of `measure`.
        """


@dataclass(frozen=True)
class Decoded:
    """What a decoder of statistics makes of latents.

    Parameters
    ----------
    z : Tensor ``(sample, component)``
    module : StatsVAE
        Its decoder gives statistics.
    """

    z: Tensor
    module: StatsVAE

    @cached_property
    def statistics(self) -> Tensor:
        """2-point statistics ``(sample, *lag, correlation)``."""
        return self.module.decoded_statistics(self.z)

    @cached_property
    def descriptors(self) -> dict[str, Tensor]:
        """Descriptors by name, each ``(sample, *shape)``."""
        return self.module.statistics_decoder.descriptors(self.z)


@runtime_checkable
class FromLatent(Protocol):
    """A property that can also be read off what a decoder of statistics gives, without a structure."""

    def from_latent(self, decoded: Decoded, grid: Grid) -> Tensor | None:
        """Values ``(sample,)``, with a gradient in the latents; None if this decoder does not give them."""


def make_property(name: str, **options: Any) -> Property:
    """Create a property, built in or from a plugin, by name.

    Raises
    ------
    PluginError
        If no property has this name.
    InputError
        If the property does not accept an option or its value.
    """
    property_class = PROPERTIES.get(name)
    try:
        return property_class(**options)
    except TypeError as error:
        raise InputError(
            f"The property {name!r} cannot be created with the options {sorted(options)}: {error}. Remove the options "
            "that it does not accept."
        ) from error


def unit_on(property: Property, grid: Grid) -> str:
    """Unit of a property's values on a grid, empty if dimensionless."""
    return property.unit.replace("length", grid.length_unit)


def check_phase(phase: int, grid: Grid) -> None:
    """Refuse a phase that the grid does not have.

    Raises
    ------
    InputError
        If the phase is out of range.
    """
    if not 0 <= phase < grid.phases:
        raise InputError(f"A phase from 0 to {grid.phases - 1} is expected, but phase={phase} was given.")


def check_labels(structures: np.ndarray, grid: Grid) -> None:
    """Refuse structures that are not phase labels ``(sample, *space)`` on the grid.

    Raises
    ------
    InputError
        If the shape does not match the grid, or the values are not integers.
    """
    if structures.ndim == 0 or structures.shape[1:] != grid.shape or structures.dtype.kind not in "iub":
        raise InputError(
            f"Phase labels (sample, *space) with space {grid.shape} are expected, but an array of {structures.dtype} "
            f"with shape {structures.shape} was given."
        )


def check_cubic_voxels(name: str, grid: Grid) -> None:
    """Refuse a grid whose voxels are not squares or cubes.

    Raises
    ------
    InputError
        If the voxel size differs between axes; the message begins with `name`, the property.
    """
    if grid.voxel_size is not None and len(set(grid.voxel_size)) > 1:
        raise InputError(
            f"{name} requires square or cubic voxels, but the voxel size is {grid.voxel_size}. Resample the structures."
        )


def axis_index(axis: int | str, grid: Grid) -> int:
    """Index of a spatial axis that is given by its index or by its name in the grid, such as ``"x"``.

    Raises
    ------
    InputError
        If the grid does not have this axis.
    """
    names = grid.axes or ()
    index = names.index(axis) if axis in names else axis
    if index not in range(grid.ndim):
        raise InputError(
            f"axis must be one of {', '.join(names)}, or an index from 0 to {grid.ndim - 1}, but {axis!r} was given."
        )
    return int(index)
