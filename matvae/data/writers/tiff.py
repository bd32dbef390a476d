"""TIFF with the voxel size in the words of ImageJ or of OME; pages are written one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...errors import InputError, MissingExtraError
from ...sizes import size_text
from ..structures import Structures
from ..units import UNITS, known_unit
from .writer import Writer, blocks

# TIFF addresses bytes with 32 bits. BigTIFF does not, but ImageJ has no BigTIFF of its own.
_MOST_BYTES = 2**32 - 2**25
# Tags hold pixels per unit of length, and its inverse, as a fraction of numbers with 32 bits.
_MOST_PER_UNIT = 1e6


class ImageJWriter(Writer):
    """Writer of TIFF as ImageJ and Fiji write it; samples are frames (axis T)."""

    suffixes = (".tif", ".tiff")
    holds = frozenset({"samples", "fields", "voxel_size", "unit", "origin"})
    least_dims = 2

    def write(self, path: Path, structures: Structures) -> Sequence[str]:
        """Write pixels per unit into the tags, and unit, spacing of slices and origin into ImageJ's description."""
        if structures.data.nbytes > _MOST_BYTES:
            raise InputError(
                f"A TIFF for ImageJ holds up to 4 GB, but {path.name} would take {size_text(structures.data.nbytes)}. "
                f"Write OME-TIFF, which ImageJ reads through Bio-Formats: name it {path.stem}.ome.tif."
            )
        grid = structures.grid
        metadata: dict[str, Any] = {"axes": _axes(structures)}
        resolution = None
        if grid.voxel_size is not None:
            metadata["unit"], factor = _imagej_unit(grid.unit, grid.voxel_size)
            size = [factor * length for length in grid.voxel_size]
            resolution = (1 / size[-1], 1 / size[-2])
            if grid.ndim == 3:
                metadata["spacing"] = size[0]
        if grid.voxel_size is not None and grid.origin is not None:
            # ImageJ gives the pixel, counted from the corner, at which its coordinates are zero.
            for axis, position, length in zip("zyx"[-grid.ndim :], grid.origin, grid.voxel_size, strict=True):
                metadata[f"{axis}origin"] = -position / length
        _write(path, structures, imagej=True, resolution=resolution, metadata=metadata)
        return []


class OmeTiffWriter(Writer):
    """Writer of OME-TIFF; samples are time points (axis T)."""

    suffixes = (".ome.tif", ".ome.tiff")
    holds = frozenset({"samples", "fields", "voxel_size", "unit"})
    least_dims = 2

    def write(self, path: Path, structures: Structures) -> Sequence[str]:
        """Write the voxel size into OME's XML, in the unit of the structures."""
        grid = structures.grid
        metadata: dict[str, Any] = {"axes": _axes(structures)}
        unit = known_unit(grid.unit)
        for axis, length in zip("ZYX"[-grid.ndim :], grid.voxel_size or (), strict=bool(grid.voxel_size)):
            metadata[f"PhysicalSize{axis}"] = length
            # OME takes lengths without a unit for micrometres; its word for a unit that it does not know is this.
            metadata[f"PhysicalSize{axis}Unit"] = unit.symbol if unit else "reference frame"
        _write(path, structures, ome=True, bigtiff=structures.data.nbytes > _MOST_BYTES, metadata=metadata)
        if grid.voxel_size and grid.unit and not unit:
            return [f"OME-TIFF does not know the unit {grid.unit!r}; the voxel size is written without it."]
        return []


def _imagej_unit(name: str | None, size: Sequence[float]) -> tuple[str, float]:
    """Return the word for a unit, and by how much lengths in it must be multiplied to be in range."""
    in_range = all(1 / _MOST_PER_UNIT < length < _MOST_PER_UNIT for length in size)
    unit, factor = known_unit(name), 1.0
    if unit is not None and not in_range:
        # The unit in which a voxel is closest to 1; in inches, TIFF states resolutions for printing.
        metres = unit.metres * size[-1]
        unit = min((one for one in UNITS if one.name != "inch"), key=lambda other: abs(math.log(metres / other.metres)))
        factor = metres / size[-1] / unit.metres
    elif not in_range:
        raise InputError(
            f"ImageJ takes voxel sizes from {1 / _MOST_PER_UNIT:g} to {_MOST_PER_UNIT:g}, but {tuple(size)} was given "
            f"in the unit {name!r}. State it in another unit (--voxel-size, --unit)."
        )
    if unit is None:
        # ImageJ keeps its description in ASCII.
        return (name or "pixel").encode("ascii", "replace").decode(), factor
    return {"µm": "um", "Å": "angstrom"}.get(unit.symbol, unit.symbol), factor


def _axes(structures: Structures) -> str:
    space = "ZYX"[-structures.grid.ndim :]
    return f"T{space}" if len(structures) > 1 else space


def _write(path: Path, structures: Structures, **how: Any) -> None:
    shape = structures.data.shape if len(structures) > 1 else structures.grid.shape
    _tifffile().imwrite(
        path,
        _pages(structures),
        shape=shape,
        dtype=structures.data.dtype,
        photometric="minisblack",
        software="matvae",
        **how,
    )


def _pages(structures: Structures) -> Iterator[np.ndarray]:
    # A page is a whole image.
    for block in blocks(structures, whole_samples=structures.grid.ndim == 2):
        yield from block.reshape(-1, *structures.grid.shape[-2:])


def _tifffile() -> ModuleType:
    try:
        import tifffile
    except ImportError as error:
        raise MissingExtraError(
            "Writing TIFF needs tifffile and imagecodecs; install them with: pip install 'matvae[tiff]'"
        ) from error
    return tifffile


imagej_writer = ImageJWriter()
ome_writer = OmeTiffWriter()
