"""VTK image data (.vti): for ParaView with cell data "phase" or "field", and for DAMASK with "material"."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...errors import MissingExtraError, StoreError
from ..structures import Structures
from ..units import known_unit
from .writer import Writer, corner, lengths, volume


class VtiWriter(Writer):
    """Writer of VTK image data: one cell per voxel, named ``phase`` (or ``field``); the unit is a field ``unit``."""

    suffixes = (".vti",)
    holds = frozenset({"fields", "voxel_size", "unit", "origin"})
    least_dims = 3

    def write(self, path: Path, structures: Structures) -> Sequence[str]:
        """Write the structure in its own unit."""
        grid = structures.grid
        name = "field" if grid.phases == 1 else "phase"
        image = image_data(volume(structures), name, lengths(grid), corner(grid))
        if grid.unit:
            add_text(image, "unit", grid.unit)
        save_image(path, image)
        return []


class DamaskWriter(Writer):
    """Writer of the grids of DAMASK 3: cells with indices ``material``, the labels of the phases; lengths in metres."""

    suffixes = (".vti",)
    holds = frozenset({"voxel_size", "unit", "origin"})
    least_dims = 3

    def write(self, path: Path, structures: Structures) -> Sequence[str]:
        """Write the structure with lengths in metres."""
        grid = structures.grid
        unit = known_unit(grid.unit)
        metres = unit.metres if unit else 1.0
        size, origin = ([metres * length for length in values] for values in (lengths(grid), corner(grid)))
        image = image_data(volume(structures).astype(np.int32), "material", size, origin)
        add_text(image, "comments", "written by matvae")
        save_image(path, image)
        if unit:
            return []
        known = f"The unit {grid.unit!r} cannot be converted to metres" if grid.unit else "The unit is not known"
        return [f"{known}, and DAMASK takes the lengths for metres."]


def image_data(cells: np.ndarray, name: str, size: Sequence[float], origin: Sequence[float]) -> Any:
    """Return VTK image data with one cell per voxel.

    Parameters
    ----------
    cells : numpy.ndarray
        ``(z, y, x)``; memory is shared.
    name : str
        Name of the cell data.
    size, origin : sequence of float
        Edge lengths of a voxel, and position of the outer corner of the first one, along z, y, x.
    """
    image = vtk_module("vtkCommonDataModel").vtkImageData()
    # Points are the corners of voxels, one more than there are voxels.
    image.SetDimensions(*(length + 1 for length in cells.shape[::-1]))
    image.SetSpacing(*size[::-1])
    image.SetOrigin(*origin[::-1])
    # VTK counts x fastest, as an array (z, y, x) does.
    values = vtk_module("util.numpy_support").numpy_to_vtk(cells.ravel())
    values.SetName(name)
    image.GetCellData().SetScalars(values)
    return image


def add_text(image: Any, name: str, text: str) -> None:
    """Add a field of text to image data."""
    array = vtk_module("vtkCommonCore").vtkStringArray()
    array.SetName(name)
    array.InsertNextValue(text)
    image.GetFieldData().AddArray(array)


def save_image(path: Path, image: Any) -> None:
    """Write image data as XML with compressed blocks inline, the one form that DAMASK reads, too."""
    writer = vtk_module("vtkIOXML").vtkXMLImageDataWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(image)
    writer.SetDataModeToBinary()
    writer.SetHeaderTypeToUInt64()
    writer.SetByteOrderToLittleEndian()
    writer.SetCompressorTypeToZLib()
    # Labels compress well; higher levels take several times as long for a third less.
    writer.SetCompressionLevel(1)
    save(writer, path)


def save(writer: Any, path: Path) -> None:
    """Run a writer of VTK.

    Raises
    ------
    StoreError
        If it fails, of which VTK itself only prints a message.
    """
    if writer.Write() != 1 or writer.GetErrorCode():
        reason = vtk_module("vtkCommonMisc").vtkErrorCode.GetStringFromErrorCode(writer.GetErrorCode())
        raise StoreError(f"{path.name} cannot be written: {reason}. Free some space, or choose another folder.")


def vtk_module(name: str) -> ModuleType:
    """Import a module of VTK alone, which is much faster than importing all of them."""
    try:
        return import_module(f"vtkmodules.{name}")
    except ImportError as error:
        raise MissingExtraError(
            "Writing .vti and .stl needs VTK; install it with: pip install 'matvae[vtk]'"
        ) from error


vti_writer = VtiWriter()
damask_writer = DamaskWriter()
