"""Sources: the arrays in files, as readers describe them before any voxel is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...errors import InputError
from ..lazy_array import LazyArray


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
        Unit of `voxel_size`.
    """

    array: LazyArray
    spatial_dims: int | None = None
    voxel_size: tuple[float, ...] | None = None
    unit: str | None = None


class Reader(Protocol):
    """Reader of one file format."""

    def matches(self, path: Path) -> bool:
        """Return whether this reader reads the file or folder at `path`, judged without opening files."""

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the array called `name` in `path`, or the only one, without reading voxels."""


def pick_name(path: Path, candidates: Sequence[str], name: str | None, what: str = "array") -> str:
    """Choose the array of a file that is called `name`, or the only one.

    A name may be the last part of a longer one, if that is unambiguous.

    Raises
    ------
    InputError
        If no array or several match; the message lists the candidates.
    """
    listed = ", ".join(repr(candidate) for candidate in candidates[:20]) + (", ..." if len(candidates) > 20 else "")
    if not candidates:
        raise InputError(f"{path} should hold {what}s of numbers, but has none.")
    if name is None:
        if len(candidates) == 1:
            return candidates[0]
        raise InputError(f"{path} holds several {what}s: {listed}. Choose one with name='...'.")
    if name in candidates:
        return name
    matches = [candidate for candidate in candidates if candidate.endswith("/" + name.strip("/"))]
    if len(matches) == 1:
        return matches[0]
    raise InputError(
        f"{path} has {'several' if matches else 'no'} {what}s called {name!r}; it has {listed}. "
        "Choose one with name='...'."
    )


def natural_order(path: Path) -> list[tuple[int, str]]:
    """Sort key by which slice2 precedes slice10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]
