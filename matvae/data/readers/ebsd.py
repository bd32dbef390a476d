"""EBSD maps: the phase at each point of a square grid, from .ang and .ctf through orix, .h5oina and .h5ebsd from HDF5.

Phases have the numbers of the file; points that were not indexed are -1 in every format.
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DamagedFileError, InputError, MissingExtraError
from ..units import length_unit
from .ebsd_hdf5 import NOT_INDEXED, PHASE_DTYPE, open_ebsd_hdf5
from .source import Source
from .whole import whole_array

_TEXT = (".ang", ".ctf")
_HDF5 = (".h5oina", ".h5ebsd")
# Coordinates are written with few decimals: a point may be off its place in the grid by this part of a step.
_TOLERANCE = 0.1
# The number of rows in the header of an .ang and of a .ctf file.
_ROWS = re.compile(r"(?:# NROWS:|YCells)\s+(\d+)")
_HEADER_LINES = 1000


class EbsdReader:
    """Reader of EBSD maps: .ang (EDAX, EMsoft, ASTAR), .ctf (Oxford, Bruker), .h5oina (Oxford), .h5ebsd (DREAM.3D)."""

    def matches(self, path: Path) -> bool:
        """Return whether the file name has one of the suffixes of EBSD maps."""
        return path.is_file() and path.suffix.lower() in (*_TEXT, *_HDF5)

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the phase map; `name` must be None, since only the phases are read."""
        if name is not None:
            raise InputError(
                f"Of an EBSD map, only the phases are read, but name={name!r} was given for {path}. Omit name."
            )
        if path.suffix.lower() in _HDF5:
            return open_ebsd_hdf5(path)
        shape, step, origin, unit = _geometry(path)
        array = whole_array(str(path), shape, PHASE_DTYPE, _load, path)
        return Source(array, voxel_size=step, unit=unit, axes="yx", origin=origin, missing=NOT_INDEXED)


def _geometry(path: Path) -> tuple[tuple[int, int], tuple[float, float], tuple[float, float], str | None]:
    """Return the shape, step and outer corner of the grid, each ``(y, x)``, and their unit."""
    points = _points(path)
    rows, columns = _Axis(points.y), _Axis(points.x)
    _check_grid(path, rows, columns)
    _check_rows(path, rows.length)
    steps = (rows.step or columns.step, columns.step or rows.step)
    corner = (rows.first - steps[0] / 2, columns.first - steps[1] / 2)
    return (rows.length, columns.length), steps, corner, length_unit(points.scan_unit)


def _load(path: Path) -> np.ndarray:
    points = _points(path)
    rows, columns = _Axis(points.y), _Axis(points.x)
    phases = np.full((rows.length, columns.length), NOT_INDEXED, PHASE_DTYPE)
    phases[rows.indices, columns.indices] = points.phase_id
    return phases


class _Axis:
    """The places of points along one axis of a grid.

    Parameters
    ----------
    coordinates : numpy.ndarray
        One per point.
    """

    def __init__(self, coordinates: np.ndarray):
        distinct = np.unique(coordinates)
        gaps = np.diff(distinct)
        # Smaller gaps come from rounding.
        n_steps = int(np.count_nonzero(gaps > gaps.max() / 2)) if len(gaps) else 0
        self.first = float(distinct[0])
        self.length = n_steps + 1
        self.step = float(distinct[-1] - distinct[0]) / n_steps if n_steps else 0.0
        places = (coordinates - self.first) / (self.step or 1.0)
        self.indices = np.rint(places).astype(int)
        self.is_regular = bool(np.all(np.abs(places - self.indices) <= _TOLERANCE))


def _check_grid(path: Path, rows: _Axis, columns: _Axis) -> None:
    """Refuse points that do not fill a rectangle of squares, each once."""
    shape = (rows.length, columns.length)
    if not rows.step and not columns.step:
        raise InputError(f"{path} should hold a map, but holds a single point. Export the whole map.")
    parity = (rows.indices + columns.indices) % 2
    if rows.length > 1 and columns.length > 1 and (parity == parity[0]).all():
        raise InputError(
            f"{path} should have its points on a square grid, as voxels are, but they lie on a hexagonal one: "
            "every other row is shifted by half a step. Convert the map to a square grid in the software that exported "
            "it, or with the filter for hexagonal grids of DREAM.3D, and open the result."
        )
    n_points = len(rows.indices)
    is_filled = n_points == rows.length * columns.length and rows.is_regular and columns.is_regular
    if not is_filled or (np.bincount(np.ravel_multi_index((rows.indices, columns.indices), shape)) != 1).any():
        raise InputError(
            f"{path} should have one point at each place of a square grid, but its {n_points} points do not fill the "
            f"{shape[0]} x {shape[1]} grid that their coordinates span. Export the whole rectangular map."
        )


def _check_rows(path: Path, n_rows: int) -> None:
    """Refuse a file that was cut off at the end of a row."""
    with path.open(encoding="utf-8", errors="replace") as file:
        declared = [_ROWS.match(line) for line in islice(file, _HEADER_LINES)]
    for match in filter(None, declared):
        if n_rows < int(match[1]):
            raise DamagedFileError(
                f"{path} declares {match[1]} rows of points, but has {n_rows}. Obtain a complete copy of it."
            )


def _points(path: Path) -> Any:
    """Return orix's crystal map, of which the coordinates and phases of the points are used."""
    try:
        from orix.io.plugins import ang, ctf
    except ImportError as error:
        raise MissingExtraError("Reading EBSD maps needs orix; install it with: pip install 'matvae[ebsd]'") from error
    if path.suffix.lower() == ".ctf":
        return ctf.file_reader(str(path))
    return ang.file_reader(str(path), autogen_names=False)


reader = EbsdReader()
