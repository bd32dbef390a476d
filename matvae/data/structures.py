"""Structures: a set of microstructures on one grid, with the properties known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import dask.array as da
import numpy as np

from ..errors import InputError
from ..grid import Grid
from .blocks import BLOCK_BYTES


@dataclass(frozen=True)
class Structures:
    """Microstructures on one grid; the voxels stay on disk until they are computed.

    Parameters
    ----------
    data : dask.array.Array or numpy.ndarray
        ``(sample, *space)``: labels 0 to H-1, or real numbers when ``grid.phases == 1``.
    grid : Grid
        What one structure is.
    properties : mapping of str to array, optional
        Name to one number a structure, ``(sample,)``.
    units : mapping of str to str, optional
        Property name to its unit.
    attributes : mapping, optional
        Whatever else is known of the set, as JSON has it.

    Raises
    ------
    InputError
        If the parts do not fit each other.
    """

    data: da.Array
    grid: Grid
    properties: Mapping[str, np.ndarray] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        data = self.data if isinstance(self.data, da.Array) else as_dask(np.asarray(self.data))
        object.__setattr__(self, "data", data)
        if data.shape[1:] != self.grid.shape or data.ndim != self.grid.ndim + 1:
            raise InputError(
                f"Structures on a grid of shape {self.grid.shape} need data of shape (sample, "
                f"*{self.grid.shape}), but {data.shape} was given. Put the sample axis first, or pass the "
                "grid of these structures."
            )
        if data.dtype.kind not in ("f" if self.grid.phases == 1 else "iub"):
            expected = "real numbers" if self.grid.phases == 1 else "integer labels"
            raise InputError(
                f"A grid with phases={self.grid.phases} needs {expected}, but the data are {data.dtype}. A "
                "continuous field has phases=1; labels have phases=H and run from 0 to H-1."
            )
        properties = {name: np.asarray(values, dtype=np.float64) for name, values in self.properties.items()}
        for name, values in properties.items():
            if values.shape != (len(self),):
                raise InputError(
                    f"The property {name!r} needs one number for each of the {len(self)} structures, but its "
                    f"shape is {values.shape}."
                )
        if unknown := set(self.units) - set(properties):
            raise InputError(f"A unit is given for {sorted(unknown)}, but the properties are {sorted(properties)}.")
        object.__setattr__(self, "properties", properties)

    def __repr__(self) -> str:
        properties = ", ".join(self.properties) or "none"
        return f"Structures({len(self)} samples of {self.data.dtype}, {self.grid}, properties: {properties})"

    def __len__(self) -> int:
        """Number of structures."""
        return int(self.data.shape[0])

    def __getitem__(self, index: slice) -> Structures:
        """Structures of a slice along the samples, still lazy; the properties follow."""
        if not isinstance(index, slice):
            raise InputError(f"Structures are cut with a slice, such as structures[10:20], but {index!r} was given.")
        properties = {name: values[index] for name, values in self.properties.items()}
        return replace(self, data=self.data[index], properties=properties)


def as_dask(array: np.ndarray) -> da.Array:
    """Dask array of a numpy one, cut along the samples into chunks of about 16 MiB."""
    per_sample = max(1, array[:1].nbytes)
    samples = max(1, BLOCK_BYTES // per_sample)
    return da.from_array(array, chunks=(samples, *array.shape[1:]), name=False)


def concatenate(parts: Sequence[Structures]) -> Structures:
    """Join sets of structures one after the other, lazily.

    Parameters
    ----------
    parts : sequence of Structures
        Sets on one grid with the same properties; the number of phases may differ, and the largest is kept.

    Returns
    -------
    Structures
        ``(sample, *space)`` with the samples of all parts; of the attributes those that all parts share.

    Raises
    ------
    InputError
        If there is no part, or if grids, properties or units differ.
    """
    if not parts:
        raise InputError("At least one set of structures is needed to concatenate, but none was given.")
    first = parts[0]
    grid = replace(first.grid, phases=max(part.grid.phases for part in parts))
    for i, part in enumerate(parts[1:], start=1):
        if replace(part.grid, phases=first.grid.phases) != first.grid or (part.grid.phases == 1) != (grid.phases == 1):
            raise InputError(
                f"Structures can be joined on one grid only, but part 0 has {first.grid} and part {i} has "
                f"{part.grid}. Import them separately, or say the voxel size, unit or boundaries that all "
                "share."
            )
        if set(part.properties) != set(first.properties) or dict(part.units) != dict(first.units):
            raise InputError(
                f"Structures can be joined when they have the same properties and units, but part 0 has "
                f"{sorted(first.properties)} {dict(first.units)} and part {i} has {sorted(part.properties)} "
                f"{dict(part.units)}."
            )
    return Structures(
        da.concatenate([part.data for part in parts], axis=0),
        grid,
        {name: np.concatenate([part.properties[name] for part in parts]) for name in first.properties},
        dict(first.units),
        {
            key: value
            for key, value in first.attributes.items()
            if all(key in part.attributes and part.attributes[key] == value for part in parts)
        },
    )
