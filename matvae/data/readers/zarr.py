"""zarr v2 and v3: an array, an array in a group, or the full-resolution level of an OME-Zarr image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from ...errors import InputError
from ..lazy_array import Box, LazyArray, choose_chunks
from .source import Source, pick_name


class ZarrReader:
    """Reader of zarr arrays and groups, OME-Zarr 0.4 and 0.5 included."""

    def matches(self, path: Path) -> bool:
        """Return whether the folder contains zarr metadata."""
        return any((path / file).is_file() for file in ("zarr.json", ".zarray", ".zgroup"))

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the array, the one called `name` in a group, or level 0 of an OME-Zarr image."""
        node = zarr.open(path, mode="r")
        if isinstance(node, zarr.Array):
            if name is not None:
                raise InputError(
                    f"{path} is a single zarr array without names, but name={name!r} was given. Omit name."
                )
            return Source(_lazy(path, "", node))
        image = _ome_image(node)
        if image is not None and name is None:
            return _ome_source(path, node, image)
        arrays = {key: item for key, item in node.members(max_depth=None) if isinstance(item, zarr.Array)}
        name = pick_name(path, sorted(key for key, item in arrays.items() if item.ndim), name)
        return Source(_lazy(path, name, arrays[name]))


def _lazy(path: Path, name: str, array: zarr.Array) -> LazyArray:
    chunks = choose_chunks(array.shape, array.dtype, native=array.shards or array.chunks)
    source = f"{path} ({name})" if name else str(path)
    return LazyArray(source, array.shape, np.dtype(array.dtype), chunks, partial(_read, path / name))


def _read(path: Path, box: Box) -> np.ndarray:
    return np.asarray(zarr.open_array(path, mode="r")[box])


def _ome_image(group: zarr.Group) -> Mapping[str, Any] | None:
    """Return the metadata of the first image in an OME-Zarr group: under ``ome`` in version 0.5, at the top in 0.4."""
    attributes: Mapping[str, Any] = dict(group.attrs)
    images = attributes.get("ome", attributes).get("multiscales")
    return images[0] if images else None


def _ome_source(path: Path, group: zarr.Group, image: Mapping[str, Any]) -> Source:
    level = image["datasets"][0]
    array = group[level["path"]]
    if not isinstance(array, zarr.Array):
        raise InputError(
            f"{path} refers to {level['path']!r} as its full-resolution image, but this is not a zarr array. Restore "
            "it from a copy."
        )
    axes = [axis["name"] if isinstance(axis, Mapping) else axis for axis in image["axes"]]
    units = {axis["name"]: axis.get("unit") for axis in image["axes"] if isinstance(axis, Mapping)}
    scale = _scale(image, level, axes)
    declared_axes = list(axes)
    lazy = _lazy(path, level["path"], array)
    for position in reversed(range(len(axes))):
        length = lazy.shape[position]
        if axes[position] in ("t", "c", "z") and length == 1:
            lazy = lazy.squeeze(position)
            del axes[position]
        elif axes[position] == "c":
            raise InputError(
                f"{path} should have one value per voxel, but has {length} channels. Save the segmented channel as a "
                "separate image, or segment it first."
            )
    space = [axis for axis in axes if axis != "t"]
    if axes not in (space, ["t", *space]):
        raise InputError(f"{path} should have the axes t, c, z, y, x in this order, but has {declared_axes}.")
    names = sorted({str(units[axis]) for axis in space if units.get(axis)})
    if len(names) > 1:
        raise InputError(
            f"{path} should have one unit of length, but its axes have {names}. Convert them to the same unit."
        )
    voxel_size = None if scale is None else tuple(scale[axis] for axis in space)
    return Source(lazy, len(space), voxel_size, names[0] if names else None)


def _scale(image: Mapping[str, Any], level: Mapping[str, Any], axes: Sequence[str]) -> dict[str, float] | None:
    """Return the edge lengths of a voxel, the scale of the level times that of the image; None if neither is given."""
    factors = [
        transform["scale"]
        for part in (level, image)
        for transform in part.get("coordinateTransformations", [])
        if transform.get("type") == "scale"
    ]
    if not factors:
        return None
    return dict(zip(axes, np.prod(np.asarray(factors, dtype=float), axis=0).tolist(), strict=True))


reader = ZarrReader()
