"""Verification of zarr groups that matvae writes: every file is read, and what is damaged is named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr

from ..errors import StoreError
from ..shortage import raise_shortage
from .checks import check_values
from .layout import MASK, array_names, check_chunks, count_files, file_box, files_of, missing_files
from .lazy_array import Box
from .sample_blocks import Progress


@dataclass(frozen=True)
class Damage:
    """A file of an array that cannot be read, or holds what it must not.

    Attributes
    ----------
    array : str
        Name of the array.
    file : Path
        The file; it need not exist.
    samples : (int, int)
        First sample in it, and the one after the last.
    reason : str
        What is wrong.
    """

    array: str
    file: Path
    samples: tuple[int, int]
    reason: str


def verify_group(path: Path, progress: Progress | None = None) -> tuple[int, list[Damage]]:
    """Read every file of every array in a zarr group.

    Parameters
    ----------
    path : Path
        Group that matvae wrote: structures, statistics or latents.
    progress : callable, optional
        Called with the number of files that are done and their total.

    Returns
    -------
    (int, list of Damage)
        Number of files that there should be, and those that are damaged or missing.

    Raises
    ------
    StoreError
        If the metadata are damaged, so that it is not known which files there should be.
    """
    arrays, phases = _arrays(path)
    total, done = sum(count_files(array) for array in arrays.values()), 0
    found: list[Damage] = []
    for name, array in arrays.items():
        for index in missing_files(array, path / name):
            file = path / name / array.metadata.encode_chunk_key(index)
            found.append(Damage(name, file, _samples(array, index), "it is missing"))
        for index, file in files_of(array, path / name).items():
            if reason := _reason(array, name, file, file_box(array, index), phases):
                found.append(Damage(name, file, _samples(array, index), reason))
            done += 1
            if progress is not None:
                progress(done, total)
    return total, found


def _arrays(path: Path) -> tuple[dict[str, zarr.Array], int | None]:
    """Return the arrays of a group by name, and the number of phases that labels may have, if it holds labels."""
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
        attributes = group.attrs["matvae"]
        arrays = {name: zarr.open_array(path / name, mode="r") for name in array_names(group)}
        phases = attributes["phases"] if "phase" in arrays and "phases" in attributes else None
        if phases is not None and not isinstance(phases, int):
            raise ValueError(f"phases is {phases!r}")
    except Exception as error:
        raise_shortage(error)
        raise StoreError(
            f"The metadata of {path} cannot be read: {type(error).__name__}: {error}. Without them "
            "it is not known which files belong to it; restore it from a copy, or create it again."
        ) from error
    for name, array in arrays.items():
        check_chunks(array, f"The array {name!r} of {path}", whole_samples=True)
    return arrays, phases


def _samples(array: zarr.Array, index: tuple[int, ...]) -> tuple[int, int]:
    """First sample in a file, and the one after the last; of an array without samples, all of it."""
    box = file_box(array, index)
    return (box[0].start, box[0].stop) if box else (0, 0)


def _reason(array: zarr.Array, name: str, file: Path, box: Box, phases: int | None) -> str | None:
    """Why a file is damaged, or None."""
    if not file.stat().st_size:
        return "it is empty"
    try:
        values = np.asarray(array[box])
        if phases is not None and name in ("phase", MASK):
            check_values(values, 2 if name == MASK else phases, source="it", first_sample=box[0].start)
    except Exception as error:  # noqa: BLE001 - whatever a codec raises is what is wrong with the file
        raise_shortage(error)
        return f"{type(error).__name__}: {error}"
    return None
