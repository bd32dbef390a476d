"""VTK image data (.vti) through VTK: boxes of cell data, or of point data, are read on demand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DamagedFileError, InputError, MissingExtraError
from ..lazy_array import Box, LazyArray, choose_chunks
from ..units import length_unit
from .source import DEFLATE_RATIO, Source, check_declared_size, pick_name


@dataclass(frozen=True)
class _Field:
    """An array of an image, of its cells or of its points.

    Parameters
    ----------
    on_cells : bool
        Whether the values are those of cells; otherwise each point is the centre of a voxel.
    dtype : numpy.dtype
    components : int
        Values per cell or point.
    """

    on_cells: bool
    dtype: np.dtype
    components: int


class VtiReader:
    """Reader of .vti files; cell data come before point data where both exist."""

    def matches(self, path: Path) -> bool:
        """Return whether the file name has the suffix .vti."""
        return path.is_file() and path.suffix.lower() == ".vti"

    def open(self, path: Path, name: str | None) -> Source:
        """Describe the array called `name`, the only one of the cells, or else the only one of the points."""
        _check_pieces(path)
        vtk_reader = _vtk_reader(path)
        information = vtk_reader.GetOutputInformation(0)
        fields = _fields(information)
        cells = [key for key, field in fields.items() if field.on_cells]
        name = pick_name(path, sorted(cells if cells and name is None else fields), name)
        field = fields[name]
        if field.components != 1:
            raise InputError(
                f"{path} ({name}) should have one value per voxel, but has {field.components} components. Choose an "
                "array of labels with name='...' (command line: matvae import FILE OUT.zarr --name ...)."
            )
        extent = _whole_extent(information)
        shape = _shape(extent, field.on_cells)
        array = LazyArray(
            f"{path} ({name})",
            shape,
            field.dtype,
            choose_chunks(shape, field.dtype, whole=(1, 2)),
            partial(_read, path, name, field, extent),
        )
        check_declared_size(array.source, math.prod(shape) * field.dtype.itemsize, path.stat().st_size, DEFLATE_RATIO)
        return Source(
            array,
            voxel_size=_spacing(information),
            unit=_unit(path, extent),
            axes="zyx",
            origin=_origin(information, extent, field),
        )


def _fields(information: Any) -> dict[str, _Field]:
    from vtkmodules.util.numpy_support import get_vtk_to_numpy_typemap
    from vtkmodules.vtkCommonDataModel import vtkDataObject

    dtypes = get_vtk_to_numpy_typemap()
    fields: dict[str, _Field] = {}
    # Cells come last, so that theirs is the array of a name that points have as well.
    for on_cells, key in ((False, vtkDataObject.POINT_DATA_VECTOR()), (True, vtkDataObject.CELL_DATA_VECTOR())):
        entries = information.Get(key)
        for i in range(0 if entries is None else entries.GetNumberOfInformationObjects()):
            entry = entries.GetInformationObject(i)
            dtype = dtypes.get(entry.Get(vtkDataObject.FIELD_ARRAY_TYPE()))
            if dtype is not None:
                components = entry.Get(vtkDataObject.FIELD_NUMBER_OF_COMPONENTS()) or 1
                fields[entry.Get(vtkDataObject.FIELD_NAME())] = _Field(on_cells, np.dtype(dtype), components)
    return fields


def _whole_extent(information: Any) -> tuple[int, ...]:
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline

    return tuple(information.Get(vtkStreamingDemandDrivenPipeline.WHOLE_EXTENT()))


def _spacing(information: Any) -> tuple[float, ...]:
    from vtkmodules.vtkCommonDataModel import vtkDataObject

    return tuple(information.Get(vtkDataObject.SPACING())[::-1])


def _origin(information: Any, extent: tuple[int, ...], field: _Field) -> tuple[float, ...] | None:
    """Return the outer corner of the first voxel; None if the axes of the image are rotated."""
    from vtkmodules.vtkCommonDataModel import vtkDataObject

    if not np.array_equal(information.Get(vtkDataObject.DIRECTION()), np.eye(3).ravel()):
        return None
    shift = 0.0 if field.on_cells else 0.5
    spacing, origin = information.Get(vtkDataObject.SPACING()), information.Get(vtkDataObject.ORIGIN())
    corner = [origin[axis] + (extent[2 * axis] - shift) * spacing[axis] for axis in range(3)]
    return tuple(corner[::-1])


def _unit(path: Path, extent: tuple[int, ...]) -> str | None:
    """Return the unit of length in a field called ``unit``, which VTK itself does not know."""
    vtk_reader = _vtk_reader(path)
    # Fields come with any part of the image: the first voxel is the smallest.
    vtk_reader.UpdateExtent([bound for start in extent[::2] for bound in (start, start)])
    text = vtk_reader.GetOutput().GetFieldData().GetAbstractArray("unit")
    return None if text is None else length_unit(text.GetVariantValue(0).ToString())


def _shape(extent: tuple[int, ...], on_cells: bool) -> tuple[int, ...]:
    """Return ``(z, y, x)``; VTK counts the points of an extent, and a flat image has one layer of cells."""
    points = [stop - start + 1 for start, stop in zip(extent[::2], extent[1::2], strict=True)]
    return tuple(max(1, n - 1) if on_cells else n for n in points[::-1])


def _read(path: Path, name: str, field: _Field, extent: tuple[int, ...], box: Box) -> np.ndarray:
    from vtkmodules.util.numpy_support import vtk_to_numpy

    errors: list[str] = []
    vtk_reader = _vtk_reader(path, errors)
    # One more point than cells along an axis, unless the image is flat there.
    stretch = [int(field.on_cells and stop > start) for start, stop in zip(extent[::2], extent[1::2], strict=True)]
    part = [
        bound
        for axis, span in enumerate(reversed(box))
        for bound in (extent[2 * axis] + span.start, extent[2 * axis] + span.stop - 1 + stretch[axis])
    ]
    vtk_reader.UpdateExtent(part)
    image = vtk_reader.GetOutput()
    values = (image.GetCellData() if field.on_cells else image.GetPointData()).GetArray(name)
    shape = tuple(span.stop - span.start for span in box)
    if errors or values is None or image.GetExtent() != tuple(part):
        raise DamagedFileError(f"{path} ({name}) is damaged or incomplete: {' '.join(errors).strip()}")
    return np.array(vtk_to_numpy(values)).reshape(shape)


def _check_pieces(path: Path) -> None:
    """Refuse an image whose pieces do not fill it, since VTK fills the rest with zeros."""
    try:
        from vtkmodules.vtkIOXMLParser import vtkXMLDataParser
    except ImportError as error:
        raise MissingExtraError("Reading .vti needs VTK; install it with: pip install 'matvae[vtk]'") from error
    parser = vtkXMLDataParser()
    errors: list[str] = []
    _collect_errors(parser, errors)
    parser.SetFileName(str(path))
    parsed = path.stat().st_size and parser.Parse()
    root = parser.GetRootElement() if parsed else None
    image = root and root.FindNestedElementWithName("ImageData")
    if not image:
        raise DamagedFileError(
            f"{path} should be a .vti file, the XML of VTK image data, but is not: it is damaged or of another format."
        )
    nested = [image.GetNestedElement(i) for i in range(image.GetNumberOfNestedElements())]
    pieces = [_extent_of(element, "Extent") for element in nested if element.GetName() == "Piece"]
    whole = _extent_of(image, "WholeExtent")
    filled = sum(math.prod(_shape(piece, on_cells=True)) for piece in pieces)
    if filled != math.prod(_shape(whole, on_cells=True)):
        raise DamagedFileError(
            f"{path} declares an image of {math.prod(_shape(whole, on_cells=True))} cells, but its pieces have "
            f"{filled}. It is incomplete: obtain a complete copy of it."
        )


def _extent_of(element: Any, attribute: str) -> tuple[int, ...]:
    return tuple(map(int, (element.GetAttribute(attribute) or "").split()))


def _vtk_reader(path: Path, errors: list[str] | None = None) -> Any:
    """Return VTK's reader of a file after it has read the header; what it reports is appended to `errors`."""
    from vtkmodules.vtkIOXML import vtkXMLImageDataReader

    vtk_reader = vtkXMLImageDataReader()
    if errors is not None:
        _collect_errors(vtk_reader, errors)
    vtk_reader.SetFileName(str(path))
    vtk_reader.UpdateInformation()
    return vtk_reader


def _collect_errors(vtk_object: Any, errors: list[str]) -> None:
    from vtkmodules.vtkCommonCore import VTK_STRING

    def collect(_caller: Any, _event: str, message: str) -> None:
        errors.append(" ".join(message.split()))

    collect.CallDataType = VTK_STRING  # type: ignore[attr-defined]
    vtk_object.AddObserver("ErrorEvent", collect)


reader = VtiReader()
