"""OME-Zarr 0.5: a zarr v3 group with one level of resolution, whose attributes state axes, voxel size and position."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dask.array as da
import zarr

from ..structures import Structures
from ..units import known_unit
from .writer import Writer, corner, lengths

# Voxels along each axis of a chunk: of cubes of this edge in volumes, of squares in images.
_CHUNK_EDGE = {2: 512, 3: 64}


class OmeZarrWriter(Writer):
    """Writer of OME-Zarr 0.5; samples are points in time (axis t)."""

    suffixes = (".ome.zarr", ".zarr")
    holds = frozenset({"samples", "fields", "voxel_size", "unit", "origin"})
    least_dims = 2

    def write(self, path: Path, structures: Structures) -> Sequence[str]:
        """Write the voxels chunk by chunk."""
        data = structures.data if len(structures) > 1 else structures.data[0]
        edge = _CHUNK_EDGE[structures.grid.ndim]
        space = tuple(min(edge, length) for length in structures.grid.shape)
        chunks = (1, *space) if len(structures) > 1 else space
        image = _image(path, structures)
        group = zarr.create_group(path, zarr_format=3, attributes={"ome": {"version": "0.5", "multiscales": [image]}})
        array = group.create_array(
            "0",
            shape=data.shape,
            dtype=data.dtype,
            chunks=chunks,
            dimension_names=[axis["name"] for axis in image["axes"]],
        )
        # Blocks of dask that consist of whole chunks can be written at the same time.
        da.store(data.rechunk(chunks), array, lock=False)
        return []


def _image(path: Path, structures: Structures) -> dict[str, Any]:
    grid = structures.grid
    unit = known_unit(grid.unit)
    name = unit.name if unit else grid.unit
    axes: list[dict[str, str]] = [
        {"name": axis, "type": "space", **({"unit": name} if name else {})} for axis in grid.axes or ()
    ]
    scale = list(lengths(grid))
    # A translation gives the centre of the first voxel.
    translation = [position + length / 2 for position, length in zip(corner(grid), scale, strict=True)]
    if len(structures) > 1:
        axes.insert(0, {"name": "t", "type": "time"})
        scale, translation = [1.0, *scale], [0.0, *translation]
    transformations: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    if grid.origin is not None:
        transformations.append({"type": "translation", "translation": translation})
    return {
        "name": path.name.split(".")[0],
        "axes": axes,
        "datasets": [{"path": "0", "coordinateTransformations": transformations}],
    }


writer = OmeZarrWriter()
