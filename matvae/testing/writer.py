"""Conformance suite for writers: `check_writer` runs all checks, `writer_checks` returns them one by one.

Built-in writers pass it, and so must those of plugins. What they write is read back by a function of the author, which
should not share code with the writer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ..data.structures import Structures
from ..data.units import known_unit
from ..data.write import write
from ..data.writers import WRITERS, Writer
from ..grid import Grid
from .check import Check, require, run_all

_HOLDABLE = {"samples", "fields", "voxel_size", "unit", "origin"}
# No two axes are alike, in any respect.
_GRID = Grid((3, 4, 5), phases=3, voxel_size=(2.0, 0.5, 0.25), unit="micrometer", origin=(10.0, 30.0, -20.0))
_NUMBER = np.arange(60, dtype=np.uint8).reshape(_GRID.shape)


@dataclass(frozen=True)
class Content:
    """What a file holds, by an independent reader.

    Parameters
    ----------
    array : numpy.ndarray
        ``(z, y, x)`` with as many axes as the file has, and with a sample axis in front if it holds several.
    voxel_size, origin : tuple of float, optional
        Edge lengths of a voxel, and position of the outer corner of the first one, one number per spatial axis.
    unit : str, optional
        Unit of both.
    """

    array: np.ndarray
    voxel_size: tuple[float, ...] | None = None
    unit: str | None = None
    origin: tuple[float, ...] | None = None


# Called with the path that was passed to the writer.
Read = Callable[[Path], Content]


def writer_checks(writer: str, read: Read) -> list[Check]:
    """Return the checks of a writer one by one.

    Parameters
    ----------
    writer : str
        Registered name of the writer.
    read : callable
        Reads a file at the path passed to it, and returns its `Content`.

    Returns
    -------
    list of Check
        Checks that raise AssertionError when they are called if the writer fails.
    """
    return [Check(run.__name__.removeprefix("check_"), writer, partial(run, writer, read)) for run in CHECKS]


def check_writer(writer: str, read: Read) -> None:
    """Run all checks of a writer.

    Parameters
    ----------
    writer, read
        As in `writer_checks`.

    Raises
    ------
    AssertionError
        If a check fails; the message states what was expected, and a note names the check.
    """
    run_all(writer_checks(writer, read))


def check_statements(writer: str, read: Read) -> None:
    """The writer states its endings, what it holds, and the number of axes it needs."""
    part = _writer(writer)
    require(
        isinstance(part, Writer), "A writer must be an instance of a class derived from matvae.data.writers.Writer."
    )
    require(
        part.suffixes and all(suffix[0] == "." and suffix == suffix.lower() for suffix in part.suffixes),
        f"suffixes must be endings in lower case that begin with a dot, not {part.suffixes!r}.",
    )
    require(set(part.holds) <= _HOLDABLE, f"holds must be some of {sorted(_HOLDABLE)}, not {sorted(part.holds)}.")
    require(part.least_dims in (1, 2, 3), f"least_dims must be 1, 2 or 3, not {part.least_dims!r}.")


def check_files(writer: str, read: Read) -> None:
    """Exactly the files of `paths` are written if every phase occurs, in the folder of the path."""
    with tempfile.TemporaryDirectory() as folder:
        path = _path(writer, folder)
        _writer(writer).write(path, Structures((_NUMBER % 3)[None], _GRID))
        written = sorted(entry.name for entry in Path(folder).iterdir())
        expected = sorted(part.name for part in _writer(writer).paths(path, _GRID))
        require(written == expected, f"`paths` announces {expected}, but `write` wrote {written}.")


def check_values(writer: str, read: Read) -> None:
    """Every voxel of a volume is in its place, whichever voxel it is that differs."""
    for labels in (_NUMBER % 3, (_NUMBER == 33).astype(np.uint8), (_NUMBER < 20).astype(np.uint8)):
        content = _written(writer, read, labels, _GRID)
        require(content.array.shape == labels.shape, f"The shape must be {labels.shape}, not {content.array.shape}.")
        require(np.array_equal(content.array, labels), "The voxels are not those that were written, or not in order.")


def check_layers(writer: str, read: Read) -> None:
    """Structures of one and two dimensions are written, as one layer of voxels if the format needs more axes."""
    for ndim in (1, 2):
        grid = replace(
            _GRID,
            shape=_GRID.shape[-ndim:],
            axes=None,
            voxel_size=(_GRID.voxel_size or ())[-ndim:],
            origin=(_GRID.origin or ())[-ndim:],
        )
        labels = _NUMBER[0, 0] % 3 if ndim == 1 else _NUMBER[0] % 3
        content = _written(writer, read, labels, grid)
        expected = labels.reshape((1,) * max(0, _writer(writer).least_dims - ndim) + labels.shape)
        require(
            np.array_equal(content.array, expected),
            f"A {ndim}-D structure must be an array of shape {expected.shape} with its labels, but the file holds one "
            f"of shape {content.array.shape}.",
        )


def check_lengths(writer: str, read: Read) -> None:
    """Voxel size, unit and origin are in the file if the writer states that it holds them."""
    part, content = _writer(writer), _written(writer, read, _NUMBER % 3, _GRID)
    # A format may have a unit of its own.
    factor = _metres("micrometer") / _metres(content.unit) if "unit" in part.holds else 1.0
    for name in ("voxel_size", "origin"):
        if name not in part.holds:
            continue
        actual = getattr(content, name)
        expected = tuple(factor * value for value in getattr(_GRID, name))
        require(
            actual is not None and len(actual) == 3 and np.allclose(actual, expected, rtol=1e-6),
            f"The {name} along z, y, x must be {expected} {content.unit or ''}, not {actual}.",
        )


def check_unknown_lengths(writer: str, read: Read) -> None:
    """A structure whose voxel size is unknown is written, with voxels of length 1 if the file states one."""
    content = _written(writer, read, _NUMBER % 3, Grid(_GRID.shape, phases=3))
    require(np.array_equal(content.array, _NUMBER % 3), "The voxels are not those that were written.")
    require(
        content.voxel_size is None or np.allclose(content.voxel_size, 1),
        f"Voxels of unknown size must have length 1, not {content.voxel_size}.",
    )


def check_samples(writer: str, read: Read) -> None:
    """Several samples are in one file in their order, if the writer states that it holds them."""
    if "samples" not in _writer(writer).holds:
        return
    labels = np.stack([(_NUMBER + shift) % 3 for shift in (0, 1, 1, 2)])
    content = _written(writer, read, labels, _GRID)
    require(np.array_equal(content.array, labels), "Several samples must be (sample, z, y, x), in their order.")


def check_fields(writer: str, read: Read) -> None:
    """Continuous fields are in the file as they are in float32, if the writer states that it holds them."""
    if "fields" not in _writer(writer).holds:
        return
    field = (_NUMBER / np.float32(7)).astype(np.float32) - 3
    content = _written(writer, read, field, replace(_GRID, phases=1))
    require(np.array_equal(content.array, field), "The values of a continuous field are not those that were written.")


CHECKS = (
    check_statements,
    check_files,
    check_values,
    check_layers,
    check_lengths,
    check_unknown_lengths,
    check_samples,
    check_fields,
)


def _writer(name: str) -> Writer:
    writer: Writer = WRITERS.get(name)
    return writer


def _path(writer: str, folder: str) -> Path:
    return Path(folder) / f"structure{_writer(writer).suffixes[0]}"


def _written(writer: str, read: Read, array: np.ndarray, grid: Grid) -> Content:
    with tempfile.TemporaryDirectory() as folder:
        path = _path(writer, folder)
        write(array, path, writer, grid=grid)
        return read(path)


def _metres(text: str | None) -> float:
    unit = known_unit(text)
    if unit is None:
        raise AssertionError(f"The file must state the unit, but it states {text!r}.")
    return unit.metres
