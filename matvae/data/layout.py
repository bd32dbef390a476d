"""Layout of a store: its chunks and shards, the files they should be in, and its attributes."""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.errors import ZarrUserWarning

from ..errors import InputError, StoreError
from ..files import read_json
from ..grid import Grid

SCHEMA = 1
# Stores with a mask have another schema, so that versions of matvae that know no masks refuse them.
MASKED_SCHEMA = 2
MASK = "mask"
# Voxels per shard, and the largest sample that is not split in space.
SHARD_VOXELS = 16 * 2**20
# Small samples share a chunk of up to this many voxels, since each chunk costs half a millisecond of Python. With 2**20
# voxels a store is written and read in half the time that 2**18 take, and a single sample is read in a millisecond.
CHUNK_VOXELS = 2**20
# No version of matvae writes larger chunks; a property is one chunk.
MAX_CHUNK = 2**28
# Missing files are looked for one by one up to this number; hostile metadata may claim any.
MOST_MISSING = 100_000
# With the encodings of versions 2 and 3 of zarr.
_CHUNK_KEY = re.compile(r"(?:c[/.])?(\d+(?:[/.]\d+)*)")
_SPATIAL_CHUNK = {1: SHARD_VOXELS, 2: 4096, 3: 256}
# Labels use few of their 8 bits: LZ4 after shuffling bits compresses measured volumes 6 to 46 times, in half the time
# of zstd or less, whose files are a fifth to two fifths smaller. Blosc has no checksum of its own.
COMPRESSORS = (BloscCodec(cname="lz4", clevel=9, shuffle="bitshuffle"), Crc32cCodec())
_RESERVED = ("schema", "voxel_size", "unit", "origin", "periodic", "phases")


@dataclass(frozen=True)
class Layout:
    """Name, type, chunks and shards of the main array ``(sample, *space)`` of a store."""

    name: str
    dtype: np.dtype
    fill_value: float
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None

    @property
    def file_shape(self) -> tuple[int, ...]:
        """Shape of the part of the array in one file: a shard, or a chunk if there are no shards."""
        return self.shards or self.chunks

    @classmethod
    def of(cls, grid: Grid, n_samples: int) -> Layout:
        """Choose the layout of `n_samples` structures: several samples per chunk, or spatial chunks of large ones."""
        name, dtype, fill = ("field", "f4", math.nan) if grid.phases == 1 else ("phase", "u1", 255)
        if grid.n_voxels > SHARD_VOXELS:
            chunks = (1, *(min(length, _SPATIAL_CHUNK[grid.ndim]) for length in grid.shape))
            shards = None
        else:
            chunk_samples = min(n_samples, max(1, min(CHUNK_VOXELS, SHARD_VOXELS) // grid.n_voxels))
            n_chunks = min(math.ceil(n_samples / chunk_samples), SHARD_VOXELS // (chunk_samples * grid.n_voxels))
            chunks = (chunk_samples, *grid.shape)
            shards = (n_chunks * chunk_samples, *grid.shape)
        return cls(name, np.dtype(dtype), fill, (n_samples, *grid.shape), chunks, shards)


def count_files(array: zarr.Array) -> int:
    """Count the files that an array should consist of: its shards, or its chunks if it has no shards."""
    return math.prod(_file_grid(array))


def count_missing_files(array: zarr.Array, folder: Path) -> int:
    """Count the files of an array in `folder` that are missing or empty.

    zarr reads a missing file as the fill value, without an error, and its `nchunks_initialized` counts empty files as
    present. The files in the folder are counted, since metadata may name more than could ever be looked for.
    """
    return count_files(array) - sum(file.stat().st_size > 0 for file in files_of(array, folder).values())


def files_of(array: zarr.Array, folder: Path) -> dict[tuple[int, ...], Path]:
    """Return the files of an array that exist in `folder`, by their indices along the axes, in order."""
    grid = _file_grid(array)
    found = {}
    for file in folder.rglob("*"):
        match = _CHUNK_KEY.fullmatch(file.relative_to(folder).as_posix())
        index = () if match is None else tuple(int(number) for number in re.split("[/.]", match[1]))
        if len(index) == len(grid) and all(i < n for i, n in zip(index, grid, strict=True)) and file.is_file():
            found[index] = file
    return dict(sorted(found.items()))


def file_box(array: zarr.Array, index: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the part of an array in the file of an index, one slice per axis."""
    steps = array.shards or array.chunks
    return tuple(slice(i * step, min((i + 1) * step, n)) for i, step, n in zip(index, steps, array.shape, strict=True))


def missing_files(array: zarr.Array, folder: Path) -> list[tuple[int, ...]]:
    """Return the indices of the files of an array that are not in `folder`.

    Raises
    ------
    StoreError
        If they are so many that the metadata cannot be true.
    """
    files = files_of(array, folder)
    n_missing = count_files(array) - len(files)
    if n_missing > MOST_MISSING:
        raise StoreError(
            f"{n_missing} of the {count_files(array)} files of {folder} are missing. Restore it from a copy, or create "
            "it again."
        )
    return [index for index in np.ndindex(*_file_grid(array)) if index not in files] if n_missing else []


def check_chunks(array: zarr.Array, name: str, *, whole_samples: bool = False) -> None:
    """Refuse an array with chunks larger than matvae writes them, before memory is allocated for one.

    Parameters
    ----------
    array : zarr.Array ``(sample, ...)``
    name : str
        For the message.
    whole_samples : bool
        Whether samples are never split, however large they are.

    Raises
    ------
    StoreError
        Naming the array.
    """
    chunk = array.shards or array.chunks
    if math.prod(chunk) > MAX_CHUNK and not (whole_samples and chunk[0] == 1):
        raise StoreError(
            f"{name} claims chunks of {math.prod(chunk)} values, but matvae writes at most {MAX_CHUNK}. The store is "
            "damaged, or was not written by matvae; restore it from a copy, or create it again."
        )


def chunk_bytes(array: zarr.Array) -> int:
    """Return the memory that a chunk of an array takes when it is decoded, with the index of its shard."""
    n_chunks = math.prod(array.shards or (0,)) // math.prod(array.chunks)
    # Position and length of every chunk.
    return math.prod(array.chunks) * array.dtype.itemsize + 16 * n_chunks


def root_attributes(grid: Grid, attributes: Mapping[str, Any], *, masked: bool = False) -> dict[str, Any]:
    """Return the root attributes of a store: those that describe the grid, and further `attributes`.

    Raises
    ------
    InputError
        If `attributes` contain a reserved name, or values that JSON cannot represent.
    """
    if reserved := sorted(set(attributes) & set(_RESERVED)):
        raise InputError(f"The attribute names {reserved} are reserved for the store itself. Choose other names.")
    grid_attributes = {
        "schema": MASKED_SCHEMA if masked else SCHEMA,
        "voxel_size": None if grid.voxel_size is None else list(grid.voxel_size),
        "unit": grid.unit,
        "origin": None if grid.origin is None else list(grid.origin),
        "periodic": grid.periodic,
        "phases": grid.phases,
    }
    try:
        return {"matvae": json.loads(json.dumps({**grid_attributes, **attributes}, allow_nan=False))}
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The attributes of a store must be representable as JSON (text, finite numbers, lists, mappings): {error}."
        ) from error


def further_attributes(matvae: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a store without the reserved ones."""
    return {key: value for key, value in matvae.items() if key not in _RESERVED}


def check_property_names(names: Iterable[str], grid: Grid) -> None:
    """Refuse property names that cannot be arrays of a store.

    Raises
    ------
    InputError
        If a name occurs twice, is that of an axis or of the main array, or contains other characters than letters,
        digits, blanks and ``_ . -``.
    """
    names = list(names)
    reserved = {"sample", "phase", "field", MASK, *(grid.axes or ())}
    for name in names:
        if not re.fullmatch(r"[^\W_][\w .-]*", name) or name in reserved or names.count(name) > 1:
            raise InputError(
                f"{name!r} cannot name a property. A name must be unique, start with a letter or digit, and consist "
                f"of letters, digits, blanks and _ . -; the names {sorted(reserved)} are reserved."
            )


def array_names(group: zarr.Group) -> list[str]:
    """Names of the arrays that a group lists, also of those that cannot be opened, which zarr would skip.

    Raises
    ------
    ValueError
        If one is a path, which would lead out of the group.
    """
    consolidated = group.metadata.consolidated_metadata
    names = list(group.array_keys()) if consolidated is None else list(consolidated.metadata)
    for name in names:
        if name in ("", ".", "..") or "/" in name or "\\" in name:
            raise ValueError(f"{name!r} cannot be the name of an array")
    return names


def is_store(path: Path) -> bool:
    """Return whether `path` is a store written by matvae, complete or not.

    Raises
    ------
    StoreError
        If there is a zarr.json that cannot be read.
    """
    file = path / "zarr.json"
    if not file.is_file():
        return False
    try:
        metadata = read_json(file)
        return "matvae" in metadata.get("attributes", {})
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise StoreError(
            f"{file} should describe a zarr array or group, but cannot be read: {error}. The store is damaged; "
            "restore it from a copy, or create it again."
        ) from error


def consolidate(path: Path) -> None:
    """Consolidate the metadata of a complete group, so that xarray opens it with a single read.

    xarray warns if the metadata are not consolidated, zarr if they are; users of xarray matter more.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZarrUserWarning)
        zarr.consolidate_metadata(path, zarr_format=3)


def _file_grid(array: zarr.Array) -> tuple[int, ...]:
    """Return the number of files along each axis of an array."""
    return tuple(
        math.ceil(length / step) for length, step in zip(array.shape, array.shards or array.chunks, strict=True)
    )
