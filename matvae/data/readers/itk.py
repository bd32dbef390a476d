"""MetaImage and NRRD through SimpleITK: boxes are read on demand, but compressed and NRRD files as a whole."""

from __future__ import annotations

import math
import re
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...errors import InputError, MissingExtraError
from ..lazy_array import Box, LazyArray, choose_chunks
from .source import DEFLATE_RATIO, Source, check_declared_size
from .whole import whole_array

_FORMATS = {".mhd": "MetaImageIO", ".mha": "MetaImageIO", ".nrrd": "NrrdImageIO"}
_DATA_FILE = re.compile(r"^ElementDataFile\s*=\s*(.*\S)", re.MULTILINE)
# By number of axes; the first index of ITK is that of x.
_AXES = {2: "yx", 3: "zyx", 4: "tzyx"}


class ItkReader:
    """Reader of .mhd, .mha and .nrrd files, whose positions refer to centres of voxels."""

    def matches(self, path: Path) -> bool:
        """Return whether the file name has one of the suffixes of MetaImage and NRRD."""
        return path.is_file() and path.suffix.lower() in _FORMATS

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the image; `name` must be None, since these formats have no names."""
        if name is not None:
            raise InputError(
                f"MetaImage and NRRD files have no names, but name={name!r} was given for {path}. Omit name."
            )
        image_reader = _image_reader(path)
        shape = tuple(int(length) for length in reversed(image_reader.GetSize()))
        if image_reader.GetNumberOfComponents() != 1:
            raise InputError(
                f"{path} should have one value per voxel, but has {image_reader.GetNumberOfComponents()} channels or "
                "components. Convert it to a grey image, or segment it, first."
            )
        if len(shape) not in _AXES:
            raise InputError(f"{path} should have the axes x, y and z, and time at most, but has {len(shape)} axes.")
        array = _lazy(path, shape, _dtype(image_reader))
        # The fourth axis is time, which has no voxel size.
        spacing = image_reader.GetSpacing()[:3]
        origin = tuple(first - step / 2 for first, step in zip(image_reader.GetOrigin(), spacing, strict=False))
        is_upright = np.array_equal(image_reader.GetDirection(), np.eye(len(shape)).ravel())
        return Source(
            array,
            voxel_size=tuple(spacing[::-1]),
            axes=_AXES[len(shape)],
            origin=tuple(origin[::-1]) if is_upright else None,
        )


def _lazy(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> LazyArray:
    declared, stored = math.prod(shape) * dtype.itemsize, _bytes_of_voxels(path)
    check_declared_size(str(path), declared, stored, DEFLATE_RATIO)
    # To read a box of a compressed file, everything before it is decompressed.
    if path.suffix.lower() == ".nrrd" or stored < declared:
        return whole_array(str(path), shape, dtype, _load, path)
    return LazyArray(str(path), shape, dtype, choose_chunks(shape, dtype), partial(_read_box, path))


def _bytes_of_voxels(path: Path) -> float:
    """Return the size of the file with the voxels; infinite if an .mhd header lists several."""
    if path.suffix.lower() != ".mhd":
        return path.stat().st_size
    named = _DATA_FILE.search(path.read_text(encoding="utf-8", errors="replace"))
    file = path.parent / named[1] if named else path
    return file.stat().st_size if file.is_file() else math.inf


def _image_reader(path: Path) -> Any:
    """Return SimpleITK's reader of a file after it has read the header."""
    image_reader = _simple_itk().ImageFileReader()
    image_reader.SetFileName(str(path))
    image_reader.SetImageIO(_FORMATS[path.suffix.lower()])
    image_reader.ReadImageInformation()
    return image_reader


def _dtype(image_reader: Any) -> np.dtype:
    itk = _simple_itk()
    voxel = itk.Image([1] * image_reader.GetDimension(), image_reader.GetPixelID())
    return np.dtype(itk.GetArrayViewFromImage(voxel).dtype)


def _load(path: Path) -> np.ndarray:
    return np.asarray(_simple_itk().GetArrayFromImage(_image_reader(path).Execute()))


def _read_box(path: Path, box: Box) -> np.ndarray:
    image_reader = _image_reader(path)
    image_reader.SetExtractIndex([part.start for part in reversed(box)])
    image_reader.SetExtractSize([part.stop - part.start for part in reversed(box)])
    return np.asarray(_simple_itk().GetArrayFromImage(image_reader.Execute()))


def _simple_itk() -> ModuleType:
    try:
        import SimpleITK
    except ImportError as error:
        raise MissingExtraError(
            "Reading MetaImage and NRRD needs SimpleITK; install it with: pip install 'matvae[itk]'"
        ) from error
    return SimpleITK


reader = ItkReader()
