"""zarr v2 and v3: a plain array, an array in a group, or the full-resolution level of an OME-Zarr image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from ...errors import InputError
from ..blocks import Blocks, Box, block_chunks
from .source import Source, pick_name


class ZarrReader:
    """Reader of zarr arrays and groups, OME-Zarr 0.4 and 0.5 included."""

    def matches(self, path: Path) -> bool:
        """Whether the folder holds zarr metadata."""
        return any((path / file).is_file() for file in ("zarr.json", ".zarray", ".zgroup"))

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the array itself, the one called `name` in a group, or level 0 of an OME-Zarr image."""
        node = zarr.open(path, mode="r")
        if isinstance(node, zarr.Array):
            if name is not None:
                raise InputError(f"{path} is one zarr array without names, but name={name!r} was given. Leave it out.")
            return Source(_blocks(path, "", node))
        image = _ome_image(node)
        if image is not None and name is None:
            return _ome_source(path, node, image)
        arrays = {key: item for key, item in node.members(max_depth=None) if isinstance(item, zarr.Array)}
        name = pick_name(path, sorted(key for key, item in arrays.items() if item.ndim), name)
        return Source(_blocks(path, name, arrays[name]))


def _blocks(path: Path, name: str, array: zarr.Array) -> Blocks:
    chunks = block_chunks(array.shape, array.dtype, native=array.shards or array.chunks)
    source = f"{path} ({name})" if name else str(path)
    return Blocks(source, array.shape, np.dtype(array.dtype), chunks, partial(_read, path / name))


def _read(path: Path, box: Box) -> np.ndarray:
    return np.asarray(zarr.open_array(path, mode="r")[box])


def _ome_image(group: zarr.Group) -> Mapping[str, Any] | None:
    """Metadata of the first image in an OME-Zarr group: 0.5 keeps it under ``ome``, 0.4 at the top."""
    attributes: Mapping[str, Any] = dict(group.attrs)
    images = attributes.get("ome", attributes).get("multiscales")
    return images[0] if images else None


def _ome_source(path: Path, group: zarr.Group, image: Mapping[str, Any]) -> Source:
    level = image["datasets"][0]
    array = group[level["path"]]
    if not isinstance(array, zarr.Array):
        raise InputError(f"{path} names {level['path']!r} as its full-resolution image, but that is no zarr array.")
    axes = [axis["name"] if isinstance(axis, Mapping) else axis for axis in image["axes"]]
    units = {axis["name"]: axis.get("unit") for axis in image["axes"] if isinstance(axis, Mapping)}
    scale = _scale(image, level, axes)
    declared = list(axes)
    blocks = _blocks(path, level["path"], array)
    for position in reversed(range(len(axes))):
        length = blocks.shape[position]
        if axes[position] in ("t", "c", "z") and length == 1:
            blocks = blocks.squeeze(position)
            del axes[position]
        elif axes[position] == "c":
            raise InputError(
                f"{path} should hold one value a voxel, but has {length} channels. Save the segmented "
                "channel as an image of its own, or segment it first."
            )
    space = [axis for axis in axes if axis != "t"]
    if axes not in (space, ["t", *space]):
        raise InputError(f"{path} should have the axes t, c, z, y, x in this order, but has {declared}.")
    named = sorted({str(units[axis]) for axis in space if units.get(axis)})
    if len(named) > 1:
        raise InputError(
            f"{path} should give one unit of length, but its axes have {named}. Say voxel_size and unit yourself."
        )
    size = None if scale is None else tuple(scale[axis] for axis in space)
    return Source(blocks, len(space), size, named[0] if named else None)


def _scale(image: Mapping[str, Any], level: Mapping[str, Any], axes: Sequence[str]) -> dict[str, float] | None:
    """Edge lengths of a voxel: the level's scale times the image's own; None where neither is given."""
    given = [
        transform["scale"]
        for part in (level, image)
        for transform in part.get("coordinateTransformations", [])
        if transform.get("type") == "scale"
    ]
    if not given:
        return None
    return dict(zip(axes, np.prod(np.asarray(given, dtype=float), axis=0).tolist(), strict=True))


reader = ZarrReader()
