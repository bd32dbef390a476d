"""Opening our own store: complete, of a known version, and never silently wrong."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from ..errors import InputError, StoreError
from ..grid import Grid
from .blocks import Blocks, Box
from .checks import check_values
from .layout import SCHEMA, further_attributes
from .pieces import count_pieces, missing_pieces
from .structures import Structures

_REMEDY = "Restore the store from a copy, or make it again."


def open_store(path: Path) -> Structures:
    """Open a matvae store; voxels are read, and checked, when they are computed.

    Raises
    ------
    StoreError
        If the store is damaged, incomplete, or of another version. Damaged voxels raise it when they are
        read.
    """
    path = path.absolute()
    arrays, facts = _describe(path)
    _check_schema(path, facts)
    kind = _main_name(path, arrays, facts)
    main = arrays[kind]
    names = [name for name, array in arrays.items() if array.metadata.dimension_names == ("sample",)]
    for name in (kind, *names):
        array = arrays[name]
        if missing := missing_pieces(array, path / name):
            raise StoreError(
                f"{path} is incomplete: {missing} of the {count_pieces(array)} "
                f"{'shards' if array.shards else 'chunks'} of its array {name!r} are missing or empty. "
                f"{_REMEDY}"
            )
    grid = _grid(path, main, facts)
    blocks = Blocks(
        source=f"{path} ({kind})",
        shape=main.shape,
        dtype=main.dtype,
        chunks=_chunks(main),
        read=partial(_read_box, path, kind, grid.phases),
    )
    properties = {name: _read_property(path, name, main.shape[0]) for name in names}
    units = {name: str(arrays[name].attrs["unit"]) for name in names if "unit" in arrays[name].attrs}
    return Structures(blocks.to_dask(), grid, properties, units, further_attributes(facts))


def _describe(path: Path) -> tuple[dict[str, zarr.Array], Any]:
    """Arrays of a store by name, and what its attributes say of it."""
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
        listed = group.metadata.consolidated_metadata
        # A group passes over arrays it cannot open; opening each one listed does not.
        names = group.array_keys() if listed is None else listed.metadata
        return {name: zarr.open_array(path / name, mode="r") for name in names}, group.attrs["matvae"]
    except Exception as error:
        raise StoreError(
            f"{path} should be a matvae store, but its description cannot be read: {type(error).__name__}: "
            f"{error}. {_REMEDY}"
        ) from error


def _check_schema(path: Path, facts: Any) -> None:
    if not isinstance(facts, dict) or "schema" not in facts:
        raise StoreError(
            f"{path} should say its schema version in the attribute matvae.schema, but does not. {_REMEDY}"
        )
    if facts["schema"] != SCHEMA:
        raise StoreError(
            f"{path} has schema {facts['schema']}, but this matvae reads schema {SCHEMA}. Use the version of "
            "matvae that wrote it, or make the store again with this one."
        )
    if absent := [key for key in ("voxel_size", "unit", "periodic", "phases") if key not in facts]:
        raise StoreError(f"{path} lacks the attributes {absent} of a matvae store. {_REMEDY}")


def _main_name(path: Path, arrays: dict[str, zarr.Array], facts: dict[str, Any]) -> str:
    name, dtype = ("field", "float32") if facts["phases"] == 1 else ("phase", "uint8")
    if name not in arrays:
        raise StoreError(
            f"{path} has phases={facts['phases']} and should hold an array {name!r}, but holds "
            f"{sorted(arrays)}. {_REMEDY}"
        )
    if arrays[name].dtype != np.dtype(dtype):
        raise StoreError(f"The array {name!r} of {path} should be {dtype}, but is {arrays[name].dtype}. {_REMEDY}")
    return name


def _grid(path: Path, main: zarr.Array, facts: dict[str, Any]) -> Grid:
    names = main.metadata.dimension_names
    try:
        if names is None or names[0] != "sample":
            raise InputError(f"Its dimension names should start with 'sample', but are {names}.")
        return Grid(
            main.shape[1:],
            phases=facts["phases"],
            axes=names[1:],
            voxel_size=facts["voxel_size"],
            unit=facts["unit"],
            periodic=facts["periodic"],
        )
    except (InputError, TypeError, ValueError) as error:
        raise StoreError(f"{path} does not describe a set of structures: {error} {_REMEDY}") from error


def _chunks(main: zarr.Array) -> tuple[tuple[int, ...], ...]:
    """Whole shards (or whole spatial chunks), so that a task decodes no voxel that another decodes too."""
    pieces = main.shards or main.chunks
    return tuple(
        tuple(min(piece, length - start) for start in range(0, length, piece))
        for length, piece in zip(main.shape, pieces, strict=True)
    )


def _read_box(path: Path, name: str, phases: int, box: Box) -> np.ndarray:
    block = np.asarray(zarr.open_array(path / name, mode="r")[box])
    check_values(block, phases, source=f"{path} ({name})", first_sample=box[0].start, error=StoreError)
    return block


def _read_property(path: Path, name: str, n_samples: int) -> np.ndarray:
    try:
        values = np.asarray(zarr.open_array(path / name, mode="r")[:], dtype=np.float64)
    except Exception as error:
        raise StoreError(
            f"The property {name!r} of {path} cannot be read: {type(error).__name__}: {error}. {_REMEDY}"
        ) from error
    if values.shape != (n_samples,):
        raise StoreError(
            f"The property {name!r} of {path} should hold {n_samples} numbers, but its shape is "
            f"{values.shape}. {_REMEDY}"
        )
    return values
