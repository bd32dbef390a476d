"""Layout of a store: how its array is cut into chunks and shards, and what its attributes say."""

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
from zarr.errors import ZarrUserWarning

from ..errors import InputError, StoreError
from ..grid import Grid

SCHEMA = 1
# Voxels in one shard, and the most that one sample may have before it is cut in space.
SHARD_VOXELS = 16 * 2**20
# Small samples share a chunk of up to this many voxels: one chunk a sample costs up to a millisecond of Python for
# each, more than a training step has for it. At 2**18 a store reads several times faster than with one sample a
# chunk, and a single sample still comes within milliseconds.
CHUNK_VOXELS = 2**18
_SPATIAL_CHUNK = {1: SHARD_VOXELS, 2: 4096, 3: 256}
_RESERVED = ("schema", "voxel_size", "unit", "periodic", "phases")


@dataclass(frozen=True)
class Layout:
    """Name, type, chunks and shards of a store's main array ``(sample, *space)``."""

    name: str
    dtype: np.dtype
    fill_value: float
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None

    @property
    def pieces(self) -> tuple[int, ...]:
        """Shape of what one file holds: a shard, or a chunk where there are no shards."""
        return self.shards or self.chunks

    @classmethod
    def of(cls, grid: Grid, n_samples: int) -> Layout:
        """Layout of `n_samples` structures: a few samples a chunk, or spatial chunks for large ones."""
        name, dtype, fill = ("field", "f4", math.nan) if grid.phases == 1 else ("phase", "u1", 255)
        if grid.n_voxels > SHARD_VOXELS:
            chunks = (1, *(min(length, _SPATIAL_CHUNK[grid.ndim]) for length in grid.shape))
            shards = None
        else:
            together = min(n_samples, max(1, min(CHUNK_VOXELS, SHARD_VOXELS) // grid.n_voxels))
            whole = min(math.ceil(n_samples / together), SHARD_VOXELS // (together * grid.n_voxels))
            chunks = (together, *grid.shape)
            shards = (whole * together, *grid.shape)
        return cls(name, np.dtype(dtype), fill, (n_samples, *grid.shape), chunks, shards)


def root_attributes(grid: Grid, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Root attributes of a store: the grid's facts, and `attributes` beside them.

    Raises
    ------
    InputError
        If `attributes` takes a name the store needs itself, or holds what JSON cannot.
    """
    if taken := sorted(set(attributes) & set(_RESERVED)):
        raise InputError(f"The attribute names {taken} belong to the store itself; choose other names.")
    facts = {
        "schema": SCHEMA,
        "voxel_size": None if grid.voxel_size is None else list(grid.voxel_size),
        "unit": grid.unit,
        "periodic": grid.periodic,
        "phases": grid.phases,
    }
    try:
        return {"matvae": json.loads(json.dumps({**facts, **attributes}, allow_nan=False))}
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The attributes of a store must be what JSON holds (text, finite numbers, lists, mappings): {error}."
        ) from error


def further_attributes(matvae: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a store beside those the store needs itself."""
    return {key: value for key, value in matvae.items() if key not in _RESERVED}


def check_property_names(names: Iterable[str], grid: Grid) -> None:
    """Refuse property names that cannot be arrays of a store.

    Raises
    ------
    InputError
        If a name is used twice, is an axis' or array's name, or has other signs than letters, digits and ``_
        .-``.
    """
    names = list(names)
    taken = {"sample", "phase", "field", *(grid.axes or ())}
    for name in names:
        if not re.fullmatch(r"[^\W_][\w .-]*", name) or name in taken or names.count(name) > 1:
            raise InputError(
                f"{name!r} cannot name a property: a name is used once, starts with a letter or digit, goes "
                f"on with letters, digits, blanks and _ . -, and is none of {sorted(taken)}."
            )


def is_store(path: Path) -> bool:
    """Whether `path` is a store that matvae wrote, complete or not.

    Raises
    ------
    StoreError
        If there is a zarr.json that cannot be read.
    """
    file = path / "zarr.json"
    if not file.is_file():
        return False
    try:
        metadata = json.loads(file.read_text(encoding="utf-8"))
        return "matvae" in metadata.get("attributes", {})
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise StoreError(
            f"{file} should describe a zarr array or group, but cannot be read: {error}. The store is "
            "damaged; restore it from a copy, or make it again."
        ) from error


def consolidate(path: Path) -> None:
    """Gather the metadata of a complete group in one place, from which xarray opens it.

    xarray warns about groups without consolidated metadata, and zarr about making it: users come first.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZarrUserWarning)
        zarr.consolidate_metadata(path, zarr_format=3)
