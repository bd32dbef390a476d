"""Description of a file before it is imported: its axes, values and voxel size, and the options that import needs.

Voxels are read in part only. What `open_structures` would refuse is described here with the same words, as advice.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import DamagedFileError, InputError
from ..grid import Grid
from .axes import Arranged, AxesError, arrange
from .data_bar import rows_without_data_bar
from .lazy_array import Box, LazyArray
from .open import find_reader, open_source
from .phase_values import FEW_VALUES, label_phases, refuse_missing
from .readers import Source
from .readers.source import Reader, SeveralArraysError
from .suggested_windows import suggested_windows

# Values that are read of an array, in boxes along its diagonal.
_MOST_READ = 2**24
_BOXES = 8
# Arrays of a file that are described; more are only named.
_MOST_LISTED = 50
# What is said of whole numbers of which there are too many for phases.
GREY = (
    "These are many different values, like an unsegmented grey image: a threshold makes phases of them. If they really "
    "are phases, list every one with --phase-values instead of --threshold."
)


@dataclass(frozen=True)
class ListedArray:
    """One of several arrays in a file.

    Parameters
    ----------
    name : str
        As `open_structures` takes it.
    shape : tuple of int or None
        None if the array cannot be opened, or was not looked at since there are many.
    dtype : str or None
    problem : str or None
        Why it cannot be opened.
    """

    name: str
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Values:
    """Values of an array, or of the part of it that was read.

    Parameters
    ----------
    distinct : tuple of float or None
        All of them in ascending order, if they are few; NaN, if there is one, is the last.
    low, high : float or None
        Smallest and largest finite value; None if there is none.
    n_not_finite, n_read, n_total : int
        Number of values that are not finite, that were read, and of the whole array.
    """

    distinct: tuple[float, ...] | None
    low: float | None
    high: float | None
    n_not_finite: int
    n_read: int
    n_total: int


@dataclass(frozen=True)
class Choice:
    """One way to import an array.

    Parameters
    ----------
    n_samples : int
    grid : Grid
        Of one structure.
    axes, phase_values, threshold, region : str or None
        Options of `matvae import`, as they are typed, where they are needed. The region leaves out what looks like a
        data bar.
    windows : (int, int) or None
        Edge and stride of windows that a model can be fitted to, see `suggested_windows`; None if the structures
        themselves can.
    """

    n_samples: int
    grid: Grid
    axes: str | None
    phase_values: str | None
    threshold: str | None = None
    region: str | None = None
    windows: tuple[int, int] | None = None


@dataclass(frozen=True)
class _Meaning:
    """A way to take values for phases: the options of `Choice`, and the number of phases."""

    n_phases: int
    phase_values: str | None = None
    threshold: str | None = None


@dataclass(frozen=True)
class FileDescription:
    """What is known of a file, and how it can be imported.

    Parameters
    ----------
    format : str
        Name of the reader.
    arrays : tuple of ListedArray
        If the file holds several and none was chosen; then the rest is empty.
    source : Source or None
        The array, and what the file states; None if it cannot be opened as one.
    arranged : Arranged or None
        Its samples and space, if its axes are known or guessed.
    values : Values or None
    choices : tuple of Choice
        Ways to import it; several if the axes or the meaning of the values are open.
    advice : tuple of str
        What is in the way or open, and what to do.
    """

    format: str
    arrays: tuple[ListedArray, ...] = ()
    source: Source | None = None
    arranged: Arranged | None = None
    values: Values | None = None
    choices: tuple[Choice, ...] = ()
    advice: tuple[str, ...] = ()


def describe_file(path: Path, name: str | None = None) -> FileDescription:
    """Describe a file or folder that a reader knows, without reading more than a part of its voxels.

    Parameters
    ----------
    path : Path
        Any source of `open_structures` but a store.
    name : str, optional
        Name of the array in a file that holds several; without it, these are listed.

    Returns
    -------
    FileDescription

    Raises
    ------
    InputError
        If no reader knows the file, it is damaged, or there is no array called `name`.
    StoreError
        If its voxels cannot be read.
    """
    path = path.expanduser().absolute()
    format, reader = find_reader(path)
    advice: list[str] = []
    try:
        with _collected(advice):
            source = open_source(reader, path, name)
    except SeveralArraysError as error:
        first = error.names[0]
        advice.append(f"Describe one of them with name={first!r} (command line: matvae info FILE --name {first}).")
        return FileDescription(format, arrays=tuple(_list(reader, path, error.names)), advice=tuple(advice))
    except DamagedFileError:
        raise
    except InputError as error:
        if name is not None:
            raise
        return FileDescription(format, advice=(*advice, str(error)))
    return _describe(format, source, advice)


def _describe(format: str, source: Source, advice: list[str]) -> FileDescription:
    guesses: list[str] = []
    arranged, meanings = _arrange(source, advice, guesses)
    if 0 in source.array.shape:
        return FileDescription(format, (), source, advice=tuple(advice))
    array = arranged.array if arranged is not None and arranged.channels else source.array
    part = _part(array)
    distinct = np.unique(part)
    values = _summary(part, distinct, math.prod(array.shape))
    of_values = _meanings_of_values(source, part, values, advice)
    choices = []
    if not of_values:
        advice.extend(guesses)
    for axes in meanings:
        with _collected([]):
            meant = arrange(source, axes)
        for meaning in of_values:
            rows = _rows_without_bar(meant.array) if meaning.threshold is not None else None
            shape = meant.array.shape[1:]
            grid = Grid(
                shape if rows is None else (rows[1] - rows[0], *shape[1:]),
                phases=meaning.n_phases,
                axes=meant.axes,
                voxel_size=meant.voxel_size,
                unit=source.unit,
                origin=meant.origin,
                periodic=False,
            )
            region = None if rows is None else f"{rows[0]}:{rows[1]},:"
            n_samples = meant.array.shape[0]
            # Continuous fields have no windows of phases.
            size = suggested_windows(n_samples, grid.shape) if meaning.n_phases > 1 else None
            choices.append(Choice(n_samples, grid, axes, meaning.phase_values, meaning.threshold, region, size))
    return FileDescription(format, (), source, arranged, values, tuple(choices), tuple(advice))


def _rows_without_bar(array: LazyArray) -> tuple[int, int] | None:
    """Rows of images `(sample, y, x)` without what looks like a data bar; None if nothing does."""
    return rows_without_data_bar(array) if array.ndim == 3 else None


def _arrange(source: Source, advice: list[str], guesses: list[str]) -> tuple[Arranged | None, Sequence[str | None]]:
    """Arrange the axes as `open_structures` would, and return the letters for each meaning that they may have.

    Warnings of a guess are kept apart, since the choices say the same.
    """
    warned: list[str] = []
    try:
        with _collected(warned):
            arranged = arrange(source)
    except AxesError as error:
        advice.append(str(error))
        return None, error.meanings
    except InputError as error:
        advice.append(str(error))
        return None, ()
    (guesses if arranged.meanings else advice).extend(warned)
    return arranged, arranged.meanings or (None,)


def _meanings_of_values(source: Source, part: np.ndarray, values: Values, advice: list[str]) -> list[_Meaning]:
    """Return the ways to take values for phases."""
    few = values.distinct
    is_whole = values.n_read == values.n_total or source.array.dtype.kind == "f"
    if few is not None:
        as_phases = [_Meaning(max(2, len(few)), ",".join(map(str, few)) if is_whole else "auto")]
    else:
        # Many values are grey values; those that are not numbers have to be masked first.
        is_grey = source.missing is None and not values.n_not_finite
        as_phases = [_Meaning(2, threshold="otsu")] if is_grey else []
    lazy = LazyArray(source.array.source, (1, len(part)), part.dtype, ((1,), (len(part),)), partial(_read, part[None]))
    try:
        # That few real numbers look like labels is warned of; here, the choices say the same.
        with _collected([]):
            if source.missing is not None:
                refuse_missing(lazy, source.missing, None)
            labels, n_phases, _ = label_phases(lazy, None)
            labels[:]
    except InputError as error:
        if as_phases and source.array.dtype.kind in "iu" and few is None:
            advice.append(GREY)
            return as_phases
        # Few whole numbers only have to be listed, unless some were not measured.
        if few is None or values.n_not_finite or source.missing in few:
            advice.append(str(error))
        return as_phases
    return [_Meaning(n_phases), *(as_phases if n_phases == 1 else [])]


def _summary(part: np.ndarray, distinct: np.ndarray, n_total: int) -> Values:
    finite = distinct[np.isfinite(distinct)]
    n_not_finite = 0 if part.dtype.kind != "f" else int(part.size - np.isfinite(part).sum())
    few = [] if len(distinct) > FEW_VALUES else [int(value) if _is_whole(value) else float(value) for value in distinct]
    low, high = (None, None) if not len(finite) else (finite[0].item(), finite[-1].item())
    return Values(tuple(few) or None, low, high, n_not_finite, part.size, n_total)


def _is_whole(value: float) -> bool:
    return bool(np.isfinite(value) and value == np.round(value))


def _part(array: LazyArray) -> np.ndarray:
    """Read an array, or boxes along its diagonal, of which the values are returned without their places."""
    if array.ndim == 0:
        return np.empty(0, array.dtype)
    return np.concatenate([array[box].ravel() for box in _boxes(array.shape)])


def _boxes(shape: Sequence[int]) -> list[Box]:
    """Return the whole array as one box, or boxes along the diagonal of one with many values.

    Early axes are cut first, since values along the later ones are next to each other in most files.
    """
    if math.prod(shape) <= _MOST_READ:
        return [tuple(slice(0, length) for length in shape)]
    lengths = list(shape)
    for axis in range(len(shape)):
        excess = math.prod(lengths) * _BOXES / _MOST_READ
        lengths[axis] = max(1, int(lengths[axis] / max(1.0, excess)))
    starts = [np.linspace(0, n - length, _BOXES).astype(int) for n, length in zip(shape, lengths, strict=True)]
    corners = zip(*starts, strict=True)
    return [
        tuple(slice(int(start), int(start) + length) for start, length in zip(corner, lengths, strict=True))
        for corner in corners
    ]


def _read(values: np.ndarray, box: Box) -> np.ndarray:
    return values[box]


def _list(reader: Reader, path: Path, names: Sequence[str]) -> Iterator[ListedArray]:
    for name in names[:_MOST_LISTED]:
        try:
            with _collected([]):
                array = open_source(reader, path, name).array
        except InputError as error:
            yield ListedArray(name, problem=str(error))
        else:
            yield ListedArray(name, array.shape, str(array.dtype))
    yield from (ListedArray(name) for name in names[_MOST_LISTED:])


@contextmanager
def _collected(advice: list[str]) -> Iterator[None]:
    """Add the warnings of a block to the advice instead of showing them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            advice.extend(str(warning.message) for warning in caught if warning.category is UserWarning)
