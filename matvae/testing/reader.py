"""Conformance suite for readers: `check_reader` runs all checks, `reader_checks` returns them one by one.

Built-in readers pass it, and so must those of plugins.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cloudpickle
import numpy as np

from ..data.readers import READERS, Source
from ..errors import MatvaeError
from .check import Check, require, run_all


@dataclass(frozen=True)
class Example:
    """A file of a format, and what is known to be in it.

    Parameters
    ----------
    path : Path
        File or folder.
    array : numpy.ndarray
        All values, read in another way.
    name : str, optional
        Name of the array, if the format has names.
    spatial_dims : int, optional
        Number of spatial axes, if the format states it.
    voxel_size : tuple of float, optional
        Edge lengths of a voxel, if the format states them.
    unit : str, optional
        Their unit.
    """

    path: Path
    array: np.ndarray
    name: str | None = None
    spatial_dims: int | None = None
    voxel_size: tuple[float, ...] | None = None
    unit: str | None = None


def reader_checks(reader: str, example: Example) -> list[Check]:
    """Return the checks of a reader one by one.

    Parameters
    ----------
    reader : str
        Registered name of the reader.
    example : Example
        A file to check it on, best with axes of different lengths.

    Returns
    -------
    list of Check
        Each raises AssertionError when called if the reader fails.
    """
    return [Check(run.__name__.removeprefix("check_"), reader, partial(run, reader, example)) for run in CHECKS]


def check_reader(reader: str, example: Example) -> None:
    """Run all checks of a reader.

    Parameters
    ----------
    reader, example
        As in `reader_checks`.

    Raises
    ------
    AssertionError
        If a check fails; the message states what was expected, and a note names the check.
    """
    run_all(reader_checks(reader, example))


def check_matches(reader: str, example: Example) -> None:
    """The reader recognises the file by its path, and no file of an unknown format."""
    part = READERS.get(reader)
    require(part.matches(example.path) is True, f"matches({example.path.name}) must be True.")
    with tempfile.TemporaryDirectory() as folder:
        foreign = Path(folder) / "notes.unknown"
        foreign.write_text("no structures")
        require(part.matches(foreign) is False, "matches must be False for a file of an unknown format.")


def check_values(reader: str, example: Example) -> None:
    """Shape, type and values are those of the file, with axes in the same order."""
    array = _source(reader, example).array
    require(array.shape == example.array.shape, f"The shape must be {example.array.shape}, not {array.shape}.")
    require(array.dtype == example.array.dtype, f"The type must be {example.array.dtype}, not {array.dtype}.")
    values = array.read(tuple(slice(0, n) for n in array.shape))
    require(np.array_equal(values, example.array), "The values differ from those in the file.")
    require(values.dtype == array.dtype, f"`read` returns {values.dtype}, but the declared type is {array.dtype}.")


def check_boxes(reader: str, example: Example) -> None:
    """`read` returns exactly the box it is asked for."""
    array = _source(reader, example).array
    box = tuple(slice(n // 3, max(n // 3 + 1, n - n // 4)) for n in array.shape)
    values = array.read(box)
    require(np.array_equal(values, example.array[box]), f"The box {box} differs from that part of the array.")


def check_chunks(reader: str, example: Example) -> None:
    """The chunks cover the array exactly."""
    array = _source(reader, example).array
    sizes = tuple(sum(sizes) for sizes in array.chunks)
    require(sizes == array.shape, f"Chunks must add up to {array.shape}, but they add up to {sizes}.")


def check_metadata(reader: str, example: Example) -> None:
    """Spatial axes, voxel size and unit are those of the file."""
    source = _source(reader, example)
    for attribute in ("spatial_dims", "voxel_size", "unit"):
        actual, expected = getattr(source, attribute), getattr(example, attribute)
        require(actual == expected, f"{attribute} must be {expected!r}, not {actual!r}.")


def check_pickles(reader: str, example: Example) -> None:
    """The array can be pickled, as it is to reach the workers of a cluster."""
    array = cloudpickle.loads(cloudpickle.dumps(_source(reader, example).array))
    values = array.read(tuple(slice(0, n) for n in array.shape))
    require(np.array_equal(values, example.array), "A pickled array must read the same values.")


def check_damage_is_an_error(reader: str, example: Example) -> None:
    """A file cut short raises an error when it is opened or read, or still gives the right values."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / example.path.name
        if example.path.is_dir():
            shutil.copytree(example.path, copy)
            largest = max((file for file in copy.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
        else:
            largest = Path(shutil.copy(example.path, copy))
        content = largest.read_bytes()
        largest.write_bytes(content[: len(content) // 2])
        try:
            array = READERS.get(reader).open(copy, example.name).array
        except Exception:  # noqa: BLE001 - `open_structures` turns any error into one that names the file
            return
        try:
            values = array[...]
        except MatvaeError:
            return
        require(np.array_equal(values, example.array), "A file cut short must raise an error, not give other values.")


def _source(reader: str, example: Example) -> Source:
    return READERS.get(reader).open(example.path, example.name)


CHECKS = (
    check_matches,
    check_values,
    check_boxes,
    check_chunks,
    check_metadata,
    check_pickles,
    check_damage_is_an_error,
)
