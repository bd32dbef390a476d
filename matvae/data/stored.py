"""Opening a matvae store: it must be complete and of a known version, and damage never goes unnoticed."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import zarr

from ..errors import InputError, StoreError
from ..grid import Grid
from ..shortage import raise_shortage
from .checks import check_values
from .layout import (
    MASK,
    MASKED_SCHEMA,
    SCHEMA,
    array_names,
    check_chunks,
    chunk_bytes,
    count_files,
    count_missing_files,
    further_attributes,
)
from .lazy_array import Box, LazyArray
from .readers.source import check_piece_size
from .structures import Structures

_REMEDY = "Restore the store from a copy, or create it again."


def open_store(path: Path) -> Structures:
    """Open a matvae store; voxels are read and checked when they are computed.

    Raises
    ------
    StoreError
        If the store is damaged, incomplete, or of another version. Damaged voxels raise it when they are read.
    """
    path = path.absolute()
    arrays, attributes = _read_metadata(path)
    _check_attributes(path, attributes)
    main_name = _main_name(path, arrays, attributes)
    main = arrays[main_name]
    property_names = [name for name, array in arrays.items() if array.metadata.dimension_names == ("sample",)]
    mask_names = [MASK] if attributes["schema"] == MASKED_SCHEMA else []
    for name in (main_name, *mask_names, *property_names):
        check_chunks(arrays[name], f"The array {name!r} of {path}")
        check_piece_size(f"{path} ({name})", max(chunk_bytes(arrays[name]), _task_bytes(arrays[name])), "chunk")
        _check_completeness(path, name, arrays[name])
    grid = _grid(path, main, attributes)
    data = LazyArray(
        source=f"{path} ({main_name})",
        shape=main.shape,
        dtype=main.dtype,
        chunks=_chunks(main),
        read=partial(_read_box, path, main_name, grid.phases),
    )
    properties = {name: _read_property(path, name, main.shape[0]) for name in property_names}
    units = {name: str(arrays[name].attrs["unit"]) for name in property_names if "unit" in arrays[name].attrs}
    mask = _mask(path, main, arrays[MASK]) if mask_names else None
    return Structures(data.to_dask(), grid, properties, units, further_attributes(attributes), mask)


def _read_metadata(path: Path) -> tuple[dict[str, zarr.Array], Any]:
    """Return the arrays of a store by name, and its attributes."""
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
        return {name: zarr.open_array(path / name, mode="r") for name in array_names(group)}, group.attrs["matvae"]
    except Exception as error:
        raise_shortage(error)
        raise StoreError(
            f"{path} should be a matvae store, but its metadata cannot be read: {type(error).__name__}: {error}. "
            f"{_REMEDY}"
        ) from error


def _check_attributes(path: Path, attributes: Any) -> None:
    if not isinstance(attributes, dict) or "schema" not in attributes:
        raise StoreError(
            f"{path} should state its schema version in the attribute matvae.schema, but does not. {_REMEDY}"
        )
    if attributes["schema"] not in (SCHEMA, MASKED_SCHEMA):
        raise StoreError(
            f"{path} has schema {attributes['schema']}, but this version of matvae reads schema {SCHEMA}, and "
            f"{MASKED_SCHEMA} with a mask. Use the version of matvae that wrote the store, or create it again with "
            "this one."
        )
    if missing := [key for key in ("voxel_size", "unit", "periodic", "phases") if key not in attributes]:
        raise StoreError(f"{path} lacks the attributes {missing} of a matvae store. {_REMEDY}")


def _main_name(path: Path, arrays: dict[str, zarr.Array], attributes: dict[str, Any]) -> str:
    name, dtype = ("field", "float32") if attributes["phases"] == 1 else ("phase", "uint8")
    if name not in arrays:
        raise StoreError(
            f"{path} has phases={attributes['phases']} and should contain an array {name!r}, but contains "
            f"{sorted(arrays)}. {_REMEDY}"
        )
    if arrays[name].dtype != np.dtype(dtype):
        raise StoreError(f"The array {name!r} of {path} should be {dtype}, but is {arrays[name].dtype}. {_REMEDY}")
    if attributes["schema"] == MASKED_SCHEMA and MASK not in arrays:
        raise StoreError(f"{path} should contain a mask (schema {MASKED_SCHEMA}), but does not. {_REMEDY}")
    return name


def _check_completeness(path: Path, name: str, array: zarr.Array) -> None:
    if n_missing := count_missing_files(array, path / name):
        raise StoreError(
            f"{path} is incomplete: {n_missing} of the {count_files(array)} {'shards' if array.shards else 'chunks'} "
            f"of its array {name!r} are missing or empty. {_REMEDY}"
        )


def _grid(path: Path, main: zarr.Array, attributes: dict[str, Any]) -> Grid:
    names = main.metadata.dimension_names
    try:
        if names is None or names[0] != "sample":
            raise InputError(f"The first dimension name should be 'sample', but the names are {names}.")
        return Grid(
            main.shape[1:],
            phases=attributes["phases"],
            axes=names[1:],
            voxel_size=attributes["voxel_size"],
            unit=attributes["unit"],
            # Stores of the first version do not state it.
            origin=attributes.get("origin"),
            periodic=attributes["periodic"],
        )
    except (InputError, TypeError, ValueError) as error:
        raise StoreError(f"{path} does not describe a set of structures: {error} {_REMEDY}") from error


def _task_bytes(array: zarr.Array) -> int:
    """Return the memory that the voxels of a shard take, which are read by one task, or those of a chunk."""
    lengths = map(min, array.shards or array.chunks, array.shape)
    return math.prod(lengths) * array.dtype.itemsize


def _chunks(main: zarr.Array) -> tuple[tuple[int, ...], ...]:
    """Return whole shards (or whole spatial chunks), so that no voxel is decoded by more than one task."""
    return tuple(
        tuple(min(step, length - start) for start in range(0, length, step))
        for length, step in zip(main.shape, main.shards or main.chunks, strict=True)
    )


def _read_box(path: Path, name: str, phases: int, box: Box) -> np.ndarray:
    values = np.asarray(zarr.open_array(path / name, mode="r")[box])
    check_values(values, phases, source=f"{path} ({name})", first_sample=box[0].start, error=StoreError)
    return values


def _mask(path: Path, main: zarr.Array, mask: zarr.Array) -> da.Array:
    if mask.shape != main.shape or mask.dtype != np.uint8:
        raise StoreError(
            f"The mask of {path} should have the shape {main.shape} and the type uint8, but has {mask.shape} and "
            f"{mask.dtype}. {_REMEDY}"
        )
    read = partial(_read_mask, path)
    return LazyArray(f"{path} ({MASK})", mask.shape, np.dtype(bool), _chunks(mask), read).to_dask()


def _read_mask(path: Path, box: Box) -> np.ndarray:
    values = np.asarray(zarr.open_array(path / MASK, mode="r")[box])
    check_values(values, 2, source=f"{path} ({MASK})", first_sample=box[0].start, error=StoreError)
    return values.astype(bool)


def _read_property(path: Path, name: str, n_samples: int) -> np.ndarray:
    array = zarr.open_array(path / name, mode="r")
    if array.shape != (n_samples,):
        raise StoreError(
            f"The property {name!r} of {path} should have {n_samples} values, but its shape is {array.shape}. {_REMEDY}"
        )
    try:
        return np.asarray(array[:], dtype=np.float64)
    except Exception as error:
        raise_shortage(error)
        raise StoreError(
            f"The property {name!r} of {path} cannot be read: {type(error).__name__}: {error}. {_REMEDY}"
        ) from error
