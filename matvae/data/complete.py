"""Completion of a store of which files are missing, by the samples that were in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from ..errors import InputError, StoreError
from ..files import unfinished
from ..shortage import raise_shortage
from .layout import file_box, files_of, missing_files
from .zarr_tasks import closing_tasks

# Returns the structures ``(k, *space)`` of a range of samples, and their properties, name to ``(k,)``.
Draw = Callable[[range], tuple[np.ndarray, dict[str, np.ndarray]]]


def complete_store(path: Path, shape: tuple[int, ...], attributes: Mapping[str, Any], draw: Draw) -> None:
    """Write the missing files of a store, in place and one by one; the others are not touched.

    Parameters
    ----------
    path : Path
        Store without a mask.
    shape : tuple of int
        Shape ``(sample, *space)`` that it must have.
    attributes : mapping
        Root attributes that it must have, which say what its samples are.
    draw : callable
        Returns the samples of a range.

    Raises
    ------
    InputError
        If the store holds something else.
    StoreError
        If its metadata are damaged, or it cannot be written.
    """
    # A property may be NaN, its fill value, everywhere, and must be written nevertheless.
    with unfinished(path), closing_tasks(), zarr.config.set({"array.write_empty_chunks": True}):
        try:
            group = zarr.open_group(path, mode="r+", zarr_format=3)
            stated = group.attrs["matvae"]
            arrays = dict(group.arrays())
            main = arrays.pop("phase") if "phase" in arrays else arrays.pop("field")
        except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{path} cannot be completed: {error}. Remove it, and make it again.") from error
        expected = json.loads(json.dumps(attributes))
        same = isinstance(stated, Mapping) and all(stated.get(name) == value for name, value in expected.items())
        if not same or main.shape != shape or not _has_these_samples(main, path, draw):
            raise InputError(
                f"{path} holds something other than what was asked for, and cannot be completed with it. Pass the same "
                "arguments, choose another output, or replace it with overwrite=True (--overwrite)."
            )
        for index in missing_files(main, path / main.basename):
            box = file_box(main, index)
            main[box] = draw(range(box[0].start, box[0].stop))[0][(slice(None), *box[1:])]
        lost = [name for name, array in arrays.items() if missing_files(array, path / name)]
        if lost:
            columns = _columns(draw, main.shape[0], file_box(main, (0,) * main.ndim)[0].stop)
            for name in lost:
                arrays[name][:] = columns[name]


def _has_these_samples(main: zarr.Array, path: Path, draw: Draw) -> bool:
    """Whether the first sample in a file that is there is the one that is drawn."""
    for index in files_of(main, path / main.basename):
        box = file_box(main, index)
        first = box[0].start
        try:
            stored = np.asarray(main[(slice(first, first + 1), *box[1:])])
        except Exception as error:
            raise_shortage(error)
            raise StoreError(
                f"Sample {first} of {path} cannot be read: {type(error).__name__}: {error}. Remove what is damaged "
                "with `matvae info PATH --repair`, and complete the store then."
            ) from error
        return np.array_equal(stored, draw(range(first, first + 1))[0][(slice(None), *box[1:])])
    return True


def _columns(draw: Draw, n_samples: int, step: int) -> dict[str, np.ndarray]:
    """Properties of all samples, drawn in parts."""
    parts = [draw(range(start, min(start + step, n_samples)))[1] for start in range(0, n_samples, step)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
