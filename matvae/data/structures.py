"""Structures: a set of microstructures on one grid, with the known properties of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import dask.array as da
import numpy as np

from ..errors import InputError
from ..given import OnGrid
from ..grid import Grid
from ..pictured import IN_TABLE, Picture, Pictured, pictures_of
from ..shown import short_text
from ..sizes import size_text
from ..warn import warn
from .lazy_array import CHUNK_BYTES

# What a notebook reads, unasked, for the pictures of its table.
PICTURE_BYTES = 1 << 26


@dataclass(frozen=True, repr=False)
class Structures(OnGrid, Pictured):
    """Microstructures on one grid, whose voxels stay on disk until they are computed.

    Parameters
    ----------
    data : dask.array.Array or numpy.ndarray
        ``(sample, *space)``: labels 0 to H-1, or real numbers if ``grid.phases == 1``.
    grid : Grid
        Grid of one structure.
    properties : mapping of str to array, optional
        Name to one number per structure, ``(sample,)``.
    units : mapping of str to str, optional
        Property name to its unit.
    attributes : mapping, optional
        Further metadata of the set, serializable as JSON.
    mask : dask.array.Array or numpy.ndarray of bool, optional
        ``(sample, *space)``: which voxels were measured and belong to the sample; None if all do. At the others, `data`
        holds a value without meaning.

    Raises
    ------
    InputError
        If the parts do not match each other.
    """

    data: da.Array
    grid: Grid
    properties: Mapping[str, np.ndarray] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    mask: da.Array | None = None

    def __post_init__(self) -> None:
        data = self.data if isinstance(self.data, da.Array) else as_dask(np.asarray(self.data))
        object.__setattr__(self, "data", data)
        if data.shape[1:] != self.grid.shape or data.ndim != self.grid.ndim + 1:
            raise InputError(
                f"Structures on a grid of shape {self.grid.shape} need data of shape (sample, *{self.grid.shape}), "
                f"but {data.shape} was given. Put the sample axis first, or pass the grid of these structures."
            )
        if data.dtype.kind not in ("f" if self.grid.phases == 1 else "iub"):
            expected = "real numbers" if self.grid.phases == 1 else "integer labels"
            raise InputError(
                f"A grid with phases={self.grid.phases} needs {expected}, but the data are {data.dtype}. "
                "A continuous field has phases=1; labels have phases=H and run from 0 to H-1."
            )
        properties = {name: np.asarray(values, dtype=np.float64) for name, values in self.properties.items()}
        for name, values in properties.items():
            if values.shape != (len(self),):
                raise InputError(
                    f"The property {name!r} needs one number for each of the {len(self)} structures, "
                    f"but its shape is {values.shape}."
                )
        if unknown := set(self.units) - set(properties):
            raise InputError(f"Units are given for {sorted(unknown)}, but the properties are {sorted(properties)}.")
        object.__setattr__(self, "properties", properties)
        if self.mask is not None:
            object.__setattr__(self, "mask", self._checked_mask(self.mask))

    def _checked_mask(self, given: Any) -> da.Array:
        mask = given if isinstance(given, da.Array) else as_dask(np.asarray(given))
        if mask.shape != self.data.shape or mask.dtype != bool:
            raise InputError(
                f"The mask of structures of shape {self.data.shape} should be booleans of this shape, True where a "
                f"voxel belongs to the sample, but it has the shape {mask.shape} and the type {mask.dtype}. Convert it "
                "with mask.astype(bool)."
            )
        # Both are read together, block by block.
        return mask.rechunk(self.data.chunks)

    def __repr__(self) -> str:
        properties = ", ".join(self.properties) or "none"
        mask = "" if self.mask is None else ", with a mask"
        return f"Structures({len(self)} samples of {self.data.dtype}, {self.grid}, properties: {properties}{mask})"

    def shown_rows(self) -> dict[str, str]:
        """What a notebook states of the set."""
        properties = {
            f"property {name}": short_text(values) + f" {self.units.get(name, '')}".rstrip()
            for name, values in self.properties.items()
        }
        return {
            "structures": f"{len(self)} of type {self.data.dtype}, {size_text(self.data.nbytes)}",
            "each": self.grid.describe(),
            **properties,
            **({} if self.mask is None else {"mask": "some voxels may lie outside it"}),
        }

    def pictures(self, n: int, *, all_sections: bool = False) -> list[Picture]:
        """Return pictures of the first `n` structures; voxels outside the mask are blank."""
        n = min(n, len(self)) if all_sections else self._n_affordable(min(n, len(self)))
        names = [f"structure {i}" for i in range(n)]
        pictures = pictures_of(self.data, self.grid, names, all_sections=all_sections)
        if self.mask is None:
            return pictures
        masks = pictures_of(self.mask, self.grid, names, all_sections=all_sections)
        return [
            replace(picture, image=np.ma.masked_where(~mask.image, picture.image))
            for picture, mask in zip(pictures, masks, strict=True)
        ]

    def pictures_remark(self) -> str:
        """Return why a notebook shows no pictures, if so."""
        if len(self) and not self._n_affordable(1):
            return f"No picture, since {size_text(self._bytes_read(1))} are to be read for it; plot(1) draws one."
        return f"The first {IN_TABLE} structures." if len(self) > IN_TABLE else ""

    def _n_affordable(self, n: int) -> int:
        """Number of structures, at most `n`, of which a notebook reads sections by itself."""
        while n and self._bytes_read(n) > PICTURE_BYTES:
            n //= 2
        return n

    def _bytes_read(self, n: int) -> int:
        """Bytes of the blocks that hold the section normal to the first axis, or the whole, of `n` structures."""
        samples, *space = self.data.chunks
        touched = int(np.searchsorted(np.cumsum(samples), n)) + 1
        first = [max(space[0])] if self.grid.ndim == 3 else [sum(space[0])]
        lengths = [sum(samples[:touched]), *first, *map(sum, space[1:])]
        return math.prod(map(int, lengths)) * self.data.dtype.itemsize

    def __len__(self) -> int:
        """Number of structures."""
        return int(self.data.shape[0])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Compute all voxels ``(sample, *space)``; an array does not know the boundaries of structures."""
        if not self.grid.periodic:
            warn(
                "These structures are not periodic, which an array cannot say: statistics of arrays assume periodic "
                "structures. Pass the structures themselves, or periodic=False."
            )
        return np.asarray(self.data.compute(), dtype=dtype)

    def __getitem__(self, index: slice) -> Structures:
        """Select samples by a slice, lazily, together with their properties."""
        if not isinstance(index, slice):
            raise InputError(
                f"Structures are selected by a slice, such as structures[10:20], but {index!r} was given. "
                "For a single structure, use structures.data[i]."
            )
        properties = {name: values[index] for name, values in self.properties.items()}
        mask = None if self.mask is None else self.mask[index]
        return replace(self, data=self.data[index], properties=properties, mask=mask)


def as_dask(array: np.ndarray) -> da.Array:
    """Convert a numpy array to a dask array with chunks of about 16 MiB along the samples."""
    chunk_samples = max(1, CHUNK_BYTES // max(1, array[:1].nbytes))
    return da.from_array(array, chunks=(chunk_samples, *array.shape[1:]), name=False)


def concatenate(parts: Sequence[Structures]) -> Structures:
    """Concatenate sets of structures along the samples, lazily.

    Parameters
    ----------
    parts : sequence of Structures
        Sets on one grid with the same properties. Their numbers of phases may differ; the largest is kept.

    Returns
    -------
    Structures
        ``(sample, *space)`` with the samples of all parts, and the origin and attributes that all parts share.

    Raises
    ------
    InputError
        If there are no parts, or if grids, properties or units differ.
    """
    if not parts:
        raise InputError("At least one set of structures is needed to concatenate, but none was given.")
    first = parts[0]
    origin = first.grid.origin if all(part.grid.origin == first.grid.origin for part in parts) else None
    grid = replace(first.grid, phases=max(part.grid.phases for part in parts), origin=origin)
    for i, part in enumerate(parts[1:], start=1):
        if replace(part.grid, phases=first.grid.phases) != first.grid or (part.grid.phases == 1) != (grid.phases == 1):
            raise InputError(
                f"Only structures on one grid can be concatenated, but part 0 has {first.grid} and part {i} has "
                f"{part.grid}. Import them separately, or state the voxel size, unit or boundaries that they share."
            )
        if set(part.properties) != set(first.properties) or dict(part.units) != dict(first.units):
            raise InputError(
                "Only structures with the same properties and units can be concatenated, but part 0 has "
                f"{sorted(first.properties)} {dict(first.units)} and part {i} has {sorted(part.properties)} "
                f"{dict(part.units)}. Import them separately."
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
        _concatenate_masks(parts),
    )


def _concatenate_masks(parts: Sequence[Structures]) -> da.Array | None:
    if all(part.mask is None for part in parts):
        return None
    masks = [da.ones_like(part.data, dtype=bool) if part.mask is None else part.mask for part in parts]
    return da.concatenate(masks, axis=0)
