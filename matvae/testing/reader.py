"""Conformance suite for readers: `check_reader` runs all checks, `reader_checks` returns them one by one.

Built-in readers pass it, and so must those of plugins.
"""

from __future__ import annotations

import glob
import shutil
import tempfile
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cloudpickle
import numpy as np

from ..data.open import as_structures, open_source
from ..data.readers import READERS, Reader, Source
from ..errors import MatvaeError
from .check import Check, require, require_refusal, run_all

# Smaller arrays do not stand out from the memory of Python itself.
_MEASURABLE_BYTES = 2**20


@dataclass(frozen=True)
class Example:
    """A file of a format, with its known content.

    Parameters
    ----------
    path : Path
        File or folder.
    array : numpy.ndarray
        All its values, with at most 255 different ones. Memory is checked only if they take 1 MiB or more.
    name : str, optional
        Name of the array, if the format has names.
    spatial_dims : int, optional
        Number of spatial axes, if the format states it.
    voxel_size : tuple of float, optional
        Edge lengths of a voxel, if the format states them.
    unit : str, optional
        Unit of `voxel_size`, if the format states it.
    axes : str, optional
        Letters of the axes of `array` as in `matvae.data.readers.Source`; not checked if not given.
    origin : tuple of float, optional
        Position of the outer corner of the first voxel; not checked if not given.
    """

    path: Path
    array: np.ndarray
    name: str | None = None
    spatial_dims: int | None = None
    voxel_size: tuple[float, ...] | None = None
    unit: str | None = None
    axes: str | None = None
    origin: tuple[float, ...] | None = None


def reader_checks(reader: str, example: Example) -> list[Check]:
    """Return the checks of a reader one by one.

    Parameters
    ----------
    reader : str
        Registered name of the reader.
    example : Example
        A file on which the reader is checked, preferably with axes of different lengths.

    Returns
    -------
    list of Check
        Checks that raise AssertionError when they are called if the reader fails.
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
    """The reader recognizes the file by its path, and refuses files and folders of other formats."""
    matches = _reader(reader).matches
    require(matches(example.path) is True, f"matches({example.path.name}) must be True.")
    with tempfile.TemporaryDirectory() as folder:
        foreign = Path(folder) / "notes.unknown"
        foreign.write_text("not a structure")
        for path in (foreign, Path(folder)):
            require(matches(path) is False, "matches must be False for files and folders of other formats.")


def check_values(reader: str, example: Example) -> None:
    """Shape, type, values and order of axes are those of the file."""
    array = _source(reader, example).array
    require(array.shape == example.array.shape, f"The shape must be {example.array.shape}, not {array.shape}.")
    require(array.dtype == example.array.dtype, f"The type must be {example.array.dtype}, not {array.dtype}.")
    values = array.read(_whole(array.shape))
    require(np.array_equal(values, example.array), "The values differ from those in the file.")
    require(values.dtype == array.dtype, f"`read` returns {values.dtype}, but the declared type is {array.dtype}.")


def check_boxes(reader: str, example: Example) -> None:
    """`read` returns exactly the requested box."""
    array = _source(reader, example).array
    box = tuple(slice(n // 3, max(n // 3 + 1, n - n // 4)) for n in array.shape)
    values = array.read(box)
    require(np.array_equal(values, example.array[box]), f"The box {box} differs from that part of the array.")


def check_chunks(reader: str, example: Example) -> None:
    """The chunks add up to the shape of the array."""
    array = _source(reader, example).array
    lengths = tuple(sum(chunks) for chunks in array.chunks)
    require(lengths == array.shape, f"Chunks must add up to {array.shape}, but they add up to {lengths}.")


def check_metadata(reader: str, example: Example) -> None:
    """Axes, voxel size, unit and origin are those of the file."""
    source = _source(reader, example)
    for attribute in ("spatial_dims", "voxel_size", "unit"):
        actual, expected = getattr(source, attribute), getattr(example, attribute)
        require(actual == expected, f"{attribute} must be {expected!r}, not {actual!r}.")
    for attribute in ("axes", "origin"):
        actual, expected = getattr(source, attribute), getattr(example, attribute)
        require(expected in (None, actual), f"{attribute} must be {expected!r}, not {actual!r}.")
    if source.axes is not None:
        require(
            len(source.axes) == source.array.ndim and set(source.axes) <= set("stczyxq"),
            f"axes must have one of the letters s, t, c, z, y, x and q for each of the {source.array.ndim} axes, but "
            f"are {source.axes!r}.",
        )


def check_structures(reader: str, example: Example) -> None:
    """The array can be opened as structures of two dimensions, and as one of three if it has three axes."""
    values = np.unique(example.array)
    labels = np.searchsorted(values, example.array)
    for ndim in range(2, example.array.ndim + 1):
        if example.array.ndim > ndim + 1:
            continue
        structures = as_structures(_source(reader, example), ndim, values.tolist())
        expected = labels if labels.ndim == ndim + 1 else labels[None]
        require(
            np.array_equal(structures.data.compute(scheduler="threads"), expected),
            f"{ndim}-D structures differ from those in the file.",
        )
        voxel_size = example.voxel_size and example.voxel_size[-ndim:]
        require(
            structures.grid.voxel_size == voxel_size,
            f"{ndim}-D structures must have the voxel size {voxel_size}, not {structures.grid.voxel_size}.",
        )


def check_open_reads_no_voxels(reader: str, example: Example) -> None:
    """Voxels are read only on request: without the file, an opened array raises an error."""
    with tempfile.TemporaryDirectory() as folder:
        copy = _copy(example.path, Path(folder))
        array = _reader(reader).open(copy, example.name).array
        shutil.rmtree(copy) if copy.is_dir() else copy.unlink()
        try:
            array[...]
        except MatvaeError:
            return
        raise AssertionError("`open` must not read voxels or keep files open, but they are readable without the file.")


def check_memory(reader: str, example: Example) -> None:
    """A box of one layer takes less memory than the whole array, if the array is large enough to measure it."""
    array = _source(reader, example).array
    if array.ndim < 3 or example.array.nbytes < _MEASURABLE_BYTES:
        return
    layer = (slice(0, 1), *_whole(array.shape[1:]))
    array.read(layer)  # imports modules and fills caches
    peak = _peak_memory(lambda: array.read(layer))
    require(
        peak < example.array.nbytes / 2,
        f"Reading one layer of {example.array[:1].nbytes} bytes took {peak} bytes, and the array has "
        f"{example.array.nbytes}.",
    )


def check_pickles(reader: str, example: Example) -> None:
    """A pickled copy of the array, as sent to dask workers, reads the same values."""
    array = cloudpickle.loads(cloudpickle.dumps(_source(reader, example).array))
    values = array.read(_whole(array.shape))
    require(np.array_equal(values, example.array), "A pickled array must read the same values.")


def check_unknown_names_are_refused(reader: str, example: Example) -> None:
    """A name that is not in the file raises InputError, whether or not the format has names."""
    require_refusal(lambda: _reader(reader).open(example.path, "no such array"), "An unknown name")


def check_damage_is_an_error(reader: str, example: Example) -> None:
    """Empty and foreign files raise an error that names them; a truncated one does so, or gives the correct values."""
    contents: dict[str, Callable[[bytes], bytes]] = {
        "A truncated file": lambda content: content[: len(content) // 2],
        "An empty file": lambda content: b"",
        "A file of another format": lambda content: b"This is not the expected format. " * 9,
    }
    for subject, change in contents.items():
        with tempfile.TemporaryDirectory() as folder:
            copy = _copy(example.path, Path(folder))
            files = [file for file in copy.rglob("*") if file.is_file()] if copy.is_dir() else [copy]
            largest = max(files, key=lambda file: file.stat().st_size)
            largest.write_bytes(change(largest.read_bytes()))
            try:
                values = open_source(_reader(reader), copy, example.name).array[...]
            except MatvaeError as error:
                require(copy.name in str(error), f"The error must name the file, but is: {error}")
                continue
            is_correct = subject == "A truncated file" and np.array_equal(values, example.array)
            require(is_correct, f"{subject} must raise an error, not give values.")


CHECKS = (
    check_matches,
    check_values,
    check_boxes,
    check_chunks,
    check_metadata,
    check_structures,
    check_open_reads_no_voxels,
    check_memory,
    check_pickles,
    check_unknown_names_are_refused,
    check_damage_is_an_error,
)


def _reader(name: str) -> Reader:
    reader: Reader = READERS.get(name)
    return reader


def _source(reader: str, example: Example) -> Source:
    return _reader(reader).open(example.path, example.name)


def _whole(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(0, n) for n in shape)


def _copy(path: Path, folder: Path) -> Path:
    if path.is_dir():
        return Path(shutil.copytree(path, folder / path.name))
    # Some formats keep header and voxels in two files of one name.
    for file in path.parent.glob(f"{glob.escape(path.stem)}.*"):
        if file.is_file():
            shutil.copy(file, folder)
    return folder / path.name


def _peak_memory(call: Callable[[], object]) -> int:
    """Measure the memory that a call allocates, in bytes."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
