"""Sources: the arrays in files, as readers describe them before any voxel is read."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from ...errors import DamagedFileError, InputError
from ...memory import check_memory
from ..lazy_array import LazyArray

# Deflate, the compression of PNG, zip and gzip, cannot shrink data by more.
DEFLATE_RATIO = 1032.0
# JPEG takes at least two bits for a block of 64 pixels, or less if there are colours or it is progressive.
JPEG_RATIO = 2048.0
_CHOOSE = "Choose one with name='...' (command line: matvae import FILE OUT.zarr --name ...)."


@dataclass(frozen=True)
class Source:
    """An array in a file, with the metadata that the file states.

    Parameters
    ----------
    array : LazyArray
        The array as it is in the file.
    spatial_dims : int, optional
        Number of spatial axes, if the format states it; an axis before them is that of the samples.
    voxel_size : tuple of float, optional
        Edge lengths of a voxel, one per spatial axis.
    unit : str, optional
        Unit of `voxel_size` and `origin`.
    axes : str, optional
        One letter per axis of `array`, if the format names its axes: ``z``, ``y``, ``x`` (space), ``s`` (sample), ``t``
        (time), ``c`` (channel, colour or local state), and ``q`` for an axis that it does not explain.
    origin : tuple of float, optional
        Position of the outer corner of the first voxel, one coordinate per spatial axis.
    notes : tuple of str, optional
        What a user should know about the values, such as that 0 is shown as white.
    missing : int, optional
        Value of voxels that were not measured, such as points of an EBSD map that were not indexed.
    channels : str
        Why one channel was taken of several, as `redundant_channels` says it; empty if there are no others.
    reason : str
        Why the axes are those of `axes` or `spatial_dims`.
    other_axes : tuple of str
        What the axes may be as well, if the format has a convention for them at best; a warning offers these letters.
    """

    array: LazyArray
    spatial_dims: int | None = None
    voxel_size: tuple[float, ...] | None = None
    unit: str | None = None
    axes: str | None = None
    origin: tuple[float, ...] | None = None
    notes: tuple[str, ...] = ()
    missing: int | None = None
    channels: str = ""
    reason: str = "as the file states"
    other_axes: tuple[str, ...] = ()


class File(Protocol):
    """A file in a folder, or a member of an archive."""

    @property
    def name(self) -> str:
        """Name of the file; for a member of an archive, its path inside."""


class Reader(Protocol):
    """Reader of one file format."""

    def matches(self, path: Path) -> bool:
        """Return whether this reader reads the file or folder at `path`, judged without opening files."""

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the array called `name` in `path`, or the only one, without reading voxels."""


class SeveralArraysError(InputError):
    """A file that holds several arrays, of which none was chosen.

    Parameters
    ----------
    message : str
    names : sequence of str
        Names of the arrays.
    """

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = tuple(names)


def pick_name(path: Path, candidates: Sequence[str], name: str | None, what: str = "array") -> str:
    """Choose the array of a file that is called `name`, or the only one.

    A name may be the last part of a longer one, if that is unambiguous.

    Raises
    ------
    SeveralArraysError
        If there are several and no name.
    InputError
        If no array or several match; the message lists the candidates.
    """
    listed = ", ".join(repr(candidate) for candidate in candidates[:20]) + (", ..." if len(candidates) > 20 else "")
    if not candidates:
        raise InputError(f"{path} should hold {what}s of numbers, but has none.")
    if name is None:
        if len(candidates) == 1:
            return candidates[0]
        raise SeveralArraysError(f"{path} holds several {what}s: {listed}. {_CHOOSE}", candidates)
    if name in candidates:
        return name
    matches = [candidate for candidate in candidates if candidate.endswith("/" + name.strip("/"))]
    if len(matches) == 1:
        return matches[0]
    raise InputError(f"{path} has {'several' if matches else 'no'} {what}s called {name!r}; it has {listed}. {_CHOOSE}")


def natural_order(file: File) -> list[tuple[int, str]]:
    """Sort key by which slice2 precedes slice10."""
    # ASCII digits only: "²" counts as a digit in Unicode, but is no number.
    parts = re.split("([0-9]+)", file.name)
    return [(int(part), "") if re.fullmatch("[0-9]+", part) else (-1, part) for part in parts]


def is_visible(name: str) -> bool:
    """Return whether a file is one that a user put there: macOS adds ``._`` files and ``__MACOSX`` folders."""
    return not any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def visible_files(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """List the files of a folder with one of the suffixes, in natural order, without hidden ones."""
    files = (file for file in folder.iterdir() if file.suffix.lower() in suffixes and is_visible(file.name))
    return sorted((file for file in files if file.is_file()), key=natural_order)


def check_declared_size(source: str, declared: int, available: float, ratio: float) -> None:
    """Refuse a header that declares more bytes than a file can hold, before memory is taken for them.

    Parameters
    ----------
    source : str
        File, for the message.
    declared : int
        Bytes of the array that the header declares.
    available : float
        Bytes of the file; infinite if unknown.
    ratio : float
        Largest factor by which the file's compression can shrink data; 1 without compression.

    Raises
    ------
    DamagedFileError
        If more is declared.
    """
    if declared > available * ratio:
        raise DamagedFileError(
            f"{source} declares {declared} bytes of values, but its {available} bytes cannot hold them. It is "
            "incomplete or its header is damaged: obtain a complete copy of it."
        )


def check_piece_size(source: str, n_bytes: int, piece: str) -> None:
    """Refuse a header that declares pieces that do not fit into memory, since each is decoded as a whole.

    Parameters
    ----------
    source : str
        File, for the message.
    n_bytes : int
        Bytes of a decoded piece.
    piece : str
        What the format calls it: ``"chunk"``, ``"page"``.

    Raises
    ------
    InputError
        If less memory is free.
    """
    check_memory(
        n_bytes,
        device="cpu",
        what=f"Each {piece} of {source}, which is decoded as a whole,",
        remedy=f"If it should not be that large, the header is damaged: obtain a complete copy. Otherwise save the "
        f"array in smaller {piece}s.",
    )
