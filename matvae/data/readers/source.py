"""Source: what a reader says about a file before any voxel is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...errors import InputError
from ..blocks import Blocks


@dataclass(frozen=True)
class Source:
    """An array in a file and what the file says about it.

    Parameters
    ----------
    blocks : Blocks
        The array as it is in the file.
    spatial_dims : int, optional
        Number of spatial axes, if the format knows; an axis before them counts samples.
    voxel_size : tuple of float, optional
        Edge length of a voxel along each spatial axis.
    unit : str, optional
        Unit of `voxel_size`.
    """

    blocks: Blocks
    spatial_dims: int | None = None
    voxel_size: tuple[float, ...] | None = None
    unit: str | None = None


class Reader(Protocol):
    """One file format."""

    def matches(self, path: Path) -> bool:
        """Whether this reader reads the file or folder at `path`, judged without opening files."""

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the array called `name` in `path`, or the only one; read no voxel."""


def pick_name(path: Path, candidates: Sequence[str], name: str | None, what: str = "array") -> str:
    """Choose among the arrays of a file: the one called `name`, or the only one.

    A name may be the last part of a longer one, if only one ends so.

    Raises
    ------
    InputError
        Listing the candidates, if none or several are meant.
    """
    shown = ", ".join(repr(candidate) for candidate in candidates[:20]) + (", ..." if len(candidates) > 20 else "")
    if not candidates:
        raise InputError(f"{path} should hold {what}s of numbers, but none was found in it.")
    if name is None:
        if len(candidates) == 1:
            return candidates[0]
        raise InputError(f"{path} holds several {what}s: {shown}. Say which one with name='...'.")
    if name in candidates:
        return name
    ending = [candidate for candidate in candidates if candidate.endswith("/" + name.strip("/"))]
    if len(ending) == 1:
        return ending[0]
    raise InputError(
        f"{path} has {'several' if ending else 'no'} {what}s called {name!r}; there are: {shown}. Say which "
        "one with name='...'."
    )


def natural_order(path: Path) -> list[tuple[int, str]]:
    """Sort key that puts slice2 before slice10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]
