"""zarr v2 and v3: an array, an array in a group, or a level of an OME-Zarr image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from ...errors import InputError
from ..layout import chunk_bytes
from ..lazy_array import Box, LazyArray, choose_chunks
from .source import Source, check_piece_size, pick_name

_LETTERS = "tczyx"


class ZarrReader:
    """Reader of zarr arrays and groups, OME-Zarr 0.4 and 0.5 included."""

    def matches(self, path: Path) -> bool:
        """Return whether the folder contains zarr metadata."""
        return any((path / file).is_file() for file in ("zarr.json", ".zarray", ".zgroup"))

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the array, the one called `name` in a group, or level 0 of the only OME-Zarr image."""
        node = zarr.open(path, mode="r")
        if isinstance(node, zarr.Array):
            if name is not None:
                raise InputError(
                    f"{path} is a single zarr array without names, but name={name!r} was given. Omit name."
                )
            parent = zarr.open(path.parent, mode="r") if self.matches(path.parent) else None
            if isinstance(parent, zarr.Group) and path.name in _levels(parent):
                return _ome_source(path.parent, "", parent, path.name)
            return Source(_lazy(path, "", node))
        if name is None and _ome_image(node) is not None:
            return _ome_source(path, "", node, None)
        members = dict(node.members(max_depth=None))
        images = {key: item for key, item in members.items() if isinstance(item, zarr.Group) and _ome_image(item)}
        arrays = sorted(key for key, item in members.items() if isinstance(item, zarr.Array) and item.ndim)
        if name is None and len(images) == 1:
            # The root of a bioformats2raw store, and other groups around one image.
            name = next(iter(images))
        # An image by its name is its level 0, so that levels need not be known.
        name = pick_name(path, sorted(images) or arrays, None) if name is None else _pick(path, arrays, images, name)
        if name in images:
            return _ome_source(path, name, images[name], None)
        folder, _, level = name.rpartition("/")
        group = node if not folder else members[folder]
        if isinstance(group, zarr.Group) and level in _levels(group):
            return _ome_source(path, folder, group, level)
        return Source(_lazy(path, name, members[name]))


def _pick(path: Path, arrays: Sequence[str], images: Mapping[str, Any], name: str) -> str:
    name = name.strip("/")
    return name if name in images else pick_name(path, [*arrays, *images], name)


def _lazy(path: Path, name: str, array: zarr.Array) -> LazyArray:
    source = f"{path} ({name})" if name else str(path)
    check_piece_size(source, chunk_bytes(array), "chunk")
    chunks = choose_chunks(array.shape, array.dtype, native=array.shards or array.chunks)
    return LazyArray(source, array.shape, np.dtype(array.dtype), chunks, partial(_read, path / name))


def _read(path: Path, box: Box) -> np.ndarray:
    return np.asarray(zarr.open_array(path, mode="r")[box])


def _ome_image(group: zarr.Group) -> Mapping[str, Any] | None:
    """Return the metadata of the first image in an OME-Zarr group: under ``ome`` in version 0.5, at the top in 0.4."""
    attributes: Mapping[str, Any] = dict(group.attrs)
    images = attributes.get("ome", attributes).get("multiscales")
    return images[0] if images else None


def _levels(group: zarr.Group) -> list[str]:
    image = _ome_image(group)
    return [] if image is None else [level["path"] for level in image["datasets"]]


def _ome_source(path: Path, folder: str, group: zarr.Group, name: str | None) -> Source:
    """Describe a level of the image in a group, with the voxel size of this level."""
    image = _ome_image(group) or {}
    level = next(level for level in image["datasets"] if name in (None, level["path"]))
    array = group[level["path"]]
    if not isinstance(array, zarr.Array):
        raise InputError(
            f"{path} refers to {level['path']!r} as a level of its image, but this is not a zarr array. Restore it "
            "from a copy."
        )
    # Axes of other names (in version 0.4 and before, without types) are unknown.
    entries = [axis if isinstance(axis, Mapping) else {"name": axis} for axis in image["axes"]]
    axes = "".join(axis["name"] if axis["name"] in tuple(_LETTERS) else "q" for axis in entries)
    space = [i for i, letter in enumerate(axes) if letter in "zyx"]
    units = sorted({str(entries[i]["unit"]) for i in space if entries[i].get("unit")})
    if len(units) > 1:
        raise InputError(
            f"{path} should have one unit of length, but its axes have {units}. Convert them to the same unit."
        )
    scale, translation = _transformation(image, level, len(axes))
    voxel_size = None if scale is None else tuple(float(scale[i]) for i in space)
    # A translation gives the centre of the first voxel.
    origin = None
    if scale is not None and translation is not None:
        origin = tuple(float(translation[i] - scale[i] / 2) for i in space)
    lazy = _lazy(path, f"{folder}/{level['path']}".strip("/"), array)
    return Source(lazy, len(space), voxel_size, units[0] if units else None, axes, origin)


def _transformation(
    image: Mapping[str, Any], level: Mapping[str, Any], ndim: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return scale and translation of a level followed by those of the image, each None if it is not given."""
    scale, translation = np.ones(ndim), np.zeros(ndim)
    kinds = set()
    for part in (level, image):
        for transform in part.get("coordinateTransformations", []):
            kind = transform.get("type")
            if kind not in ("scale", "translation") or kind not in transform:
                continue
            kinds.add(kind)
            values = np.asarray(transform[kind], dtype=float)
            if values.shape != (ndim,):
                raise InputError(f"An OME-Zarr {kind} should have {ndim} values, but is {values.tolist()}.")
            if kind == "scale":
                scale, translation = scale * values, translation * values
            else:
                translation = translation + values
    return (scale if "scale" in kinds else None), (translation if "translation" in kinds else None)


reader = ZarrReader()
