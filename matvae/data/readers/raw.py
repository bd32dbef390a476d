"""Raw binary: voxels without a header, whose layout a JSON or MetaImage header beside the file states, or the user."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ...files import read_json
from ...grid import voxel_edges
from ...validate import integer, real
from ..lazy_array import Box, LazyArray, contiguous_chunks
from ..units import length_unit
from . import itk
from .source import Source

_SUFFIXES = (".raw", ".bin")
_BYTE_ORDERS = {"little": "<", "big": ">"}
_SPACE = "zyx"
_EXAMPLE = '{"shape": [100, 200, 300], "dtype": "uint16", "byteorder": "little"}'


@dataclass(frozen=True)
class RawLayout:
    """How the voxels of a raw binary file are stored.

    Parameters
    ----------
    shape : sequence of int
        Number of voxels along each axis, in array order: the index of the last axis changes fastest, ``(z, y, x)``.
    dtype : str or numpy.dtype
        Type of a voxel, such as ``"uint8"``, ``"uint16"`` or ``"float32"``.
    byteorder : str, optional
        ``"little"`` (as most computers write) or ``"big"``; required if a voxel takes more than one byte.
    offset : int
        Bytes before the first voxel.

    Raises
    ------
    InputError
        If a value is invalid.
    """

    shape: tuple[int, ...]
    dtype: Any
    byteorder: str | None = None
    offset: int = 0

    def __post_init__(self) -> None:
        shape = (self.shape,) if isinstance(self.shape, int) else tuple(self.shape)
        object.__setattr__(self, "shape", tuple(integer("shape", length, 1) for length in shape))
        object.__setattr__(self, "offset", integer("offset", self.offset, 0))
        object.__setattr__(self, "dtype", self._type())

    def _type(self) -> np.dtype:
        try:
            dtype = np.dtype(self.dtype)
        except TypeError:
            dtype = np.dtype(object)
        if dtype.kind not in "biuf":
            raise InputError(
                "dtype must be the type of a voxel, such as 'uint8', 'uint16', 'int32' or 'float32', but "
                f"{self.dtype!r} was given."
            )
        if self.byteorder not in (None, *_BYTE_ORDERS):
            raise InputError(f"byteorder must be 'little' or 'big', but {self.byteorder!r} was given.")
        if dtype.itemsize == 1:
            return dtype
        if self.byteorder is None:
            raise InputError(
                f"byteorder must be given, since a voxel takes {dtype.itemsize} bytes ({dtype.name}): 'little', as "
                "most computers write, or 'big' (command line: --byteorder little or big)."
            )
        return dtype.newbyteorder(_BYTE_ORDERS[self.byteorder])


class RawReader:
    """Reader of .raw and .bin files beside which a header of the same name lies: .json, or .mhd of MetaImage."""

    def matches(self, path: Path) -> bool:
        """Return whether the file name has one of the suffixes of raw files."""
        return path.is_file() and path.suffix.lower() in _SUFFIXES

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the array with the layout that the header beside the file states."""
        _refuse_name(path, name)
        header = path.with_suffix(".json")
        if header.is_file():
            return _from_json(path, header)
        if path.with_suffix(".mhd").is_file():
            return itk.reader.open(path.with_suffix(".mhd"), None)
        raise InputError(
            f"{path} holds voxels without a header that states their number and type, and there is neither "
            f"{header.name} nor {path.stem}.mhd beside it. Write them into {header.name}, such as {_EXAMPLE}, or give "
            "them: raw=matvae.data.RawLayout((100, 200, 300), 'uint16', 'little') (command line: matvae import FILE "
            "OUT.zarr --shape 100,200,300 --dtype uint16 --byteorder little)."
        )


def open_raw(path: Path, layout: RawLayout, name: str | None = None) -> Source:
    """Describe the array in a raw file with a given layout.

    Parameters
    ----------
    path : Path
        File with any suffix.
    layout : RawLayout
        How its voxels are stored.
    name : str, optional
        Must be None, since a raw file has no names.

    Raises
    ------
    InputError
        If the size of the file is not that of the layout.
    """
    _refuse_name(path, name)
    if not path.is_file():
        raise InputError(f"{path} should be a raw file, since its shape and type were given, but it is a folder.")
    expected = layout.offset + math.prod(layout.shape) * layout.dtype.itemsize
    actual = path.stat().st_size
    if actual != expected:
        after = f" after {layout.offset} bytes" if layout.offset else ""
        raise InputError(
            f"{path} should have {expected} bytes, {' x '.join(map(str, layout.shape))} voxels of {layout.dtype.name}"
            f"{after}, but has {actual}. Correct the shape, dtype or offset (command line: --shape, --dtype, "
            "--offset), or obtain a complete copy of the file."
        )
    dtype = layout.dtype.newbyteorder("=")
    chunks = contiguous_chunks(layout.shape, dtype)
    return Source(LazyArray(str(path), layout.shape, dtype, chunks, partial(_read, path, layout)))


def _from_json(path: Path, header: Path) -> Source:
    try:
        stated = read_json(header)
    except ValueError as error:
        raise InputError(f"{header} should be a JSON object such as {_EXAMPLE}, but is not JSON: {error}.") from error
    if not isinstance(stated, Mapping) or not {"shape", "dtype"} <= set(stated):
        raise InputError(f"{header} should state at least the shape and dtype of {path.name}, such as {_EXAMPLE}.")
    try:
        layout = RawLayout(stated["shape"], stated["dtype"], stated.get("byteorder"), stated.get("offset", 0))
        array = open_raw(path, layout).array
        voxel_size, origin = _lengths("voxel_size", stated), _lengths("origin", stated)
        axes = _axes(stated.get("axes"), array.ndim, {len(values) for values in (voxel_size, origin) if values})
    except (InputError, TypeError) as error:
        raise InputError(f"{header} does not describe {path.name}: {error}") from error
    unit = stated.get("unit")
    return Source(array, voxel_size=voxel_size, unit=unit and (length_unit(unit) or unit), axes=axes, origin=origin)


def _lengths(key: str, stated: Mapping[str, Any]) -> tuple[float, ...] | None:
    values = stated.get(key)
    if values is None:
        return None
    if not isinstance(values, list) or not 1 <= len(values) <= len(_SPACE):
        raise InputError(f"{key} must list one length per spatial axis, but is {values!r}.")
    if key == "voxel_size":
        return voxel_edges(values, len(values))
    return tuple(real(key, value, -math.inf) for value in values)


def _axes(axes: Any, ndim: int, n_lengths: set[int]) -> str | None:
    """Check the letters of the axes; if none are given, they are those of space where lengths are given for each axis.

    Parameters
    ----------
    axes : str or None
        As stated in the header.
    ndim : int
        Number of axes of the array.
    n_lengths : set of int
        Numbers of entries of the voxel size and the origin, as far as these are given.
    """
    if axes is None and n_lengths <= {ndim}:
        return _SPACE[-ndim:] if n_lengths else None
    letters = axes if isinstance(axes, str) else ""
    is_valid = len(letters) == len(set(letters)) == ndim and set(letters) <= set(f"stc{_SPACE}")
    if not is_valid or not n_lengths <= {sum(letter in _SPACE for letter in letters)}:
        given = " and ".join(map(str, sorted(n_lengths))) or "no"
        raise InputError(
            f"axes must give each of the {ndim} axes a letter, s (sample), t (time), c (channel), z, y or x, such as "
            f"'{f's{_SPACE}'[-ndim:]}', and voxel_size and origin one entry per z, y and x, but axes is {axes!r} and "
            f"they have {given} entries."
        )
    return letters


def _read(path: Path, layout: RawLayout, box: Box) -> np.ndarray:
    values = np.memmap(path, layout.dtype, "r", layout.offset, layout.shape)
    return np.array(values[box], layout.dtype.newbyteorder("="))


def _refuse_name(path: Path, name: str | None) -> None:
    if name is not None:
        raise InputError(f"Raw files have no names, but name={name!r} was given for {path}. Omit name.")


reader = RawReader()
