"""Image data, read back by VTK itself and by DAMASK's own package."""

from __future__ import annotations

import re

import damask
import numpy as np
import pytest
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOXML import vtkXMLImageDataReader

from matvae import Grid
from matvae.data import write
from matvae.data.writers import vtk_image
from matvae.errors import StoreError

GRID = Grid((3, 4, 5), phases=2, voxel_size=(2.0, 0.5, 0.25), unit="micrometer", origin=(10, 20, 30))
MARKED = np.zeros((3, 4, 5), np.uint8)
MARKED[2, 1, 3] = 1


def read(path):
    reader = vtkXMLImageDataReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput()


def test_paraview_sees_one_cell_per_voxel_at_its_place(tmp_path):
    write(MARKED, tmp_path / "a.vti", grid=GRID)
    image = read(tmp_path / "a.vti")
    assert image.GetDimensions() == (6, 5, 4)
    assert image.GetNumberOfCells() == 60
    # Size is number of voxels times their length.
    assert image.GetBounds() == (30, 31.25, 20, 22, 10, 16)
    values = vtk_to_numpy(image.GetCellData().GetArray("phase"))
    (cell,) = np.flatnonzero(values)
    assert image.GetCell(cell).GetBounds() == (30.75, 31.0, 20.5, 21.0, 14, 16)
    assert image.GetFieldData().GetAbstractArray("unit").GetValue(0) == "micrometer"


def test_fields_are_float32(tmp_path):
    write(MARKED + 0.5, tmp_path / "a.vti", grid=Grid((3, 4, 5), phases=1))
    values = vtk_to_numpy(read(tmp_path / "a.vti").GetCellData().GetArray("field"))
    assert values.dtype == np.float32
    assert values.max() == 1.5


@pytest.mark.parametrize(("unit", "factor"), [("micrometer", 1e-6), ("nm", 1e-9), ("mm", 1e-3), ("m", 1)])
def test_damask_reads_materials_and_lengths_in_metres(tmp_path, unit, factor):
    grid = Grid((3, 4, 5), phases=2, voxel_size=(2.0, 0.5, 0.25), unit=unit, origin=(10, 20, 30))
    assert write(MARKED, tmp_path / "a.vti", "damask", grid=grid).notes == ()
    again = damask.GeomGrid.load(tmp_path / "a.vti")
    assert tuple(again.cells) == (5, 4, 3)
    np.testing.assert_allclose(again.size, np.array([1.25, 2, 6]) * factor)
    np.testing.assert_allclose(again.origin, np.array([30, 20, 10]) * factor)
    # DAMASK's array is (x, y, z).
    assert np.argwhere(again.material == 1).tolist() == [[3, 1, 2]]
    assert again.initial_conditions == {}


@pytest.mark.parametrize("unit", [None, "furlong"])
def test_damask_is_told_when_lengths_cannot_be_metres(tmp_path, unit):
    grid = Grid((3, 4, 5), phases=2, voxel_size=(2.0, 0.5, 0.25), unit=unit)
    notes = write(MARKED, tmp_path / "a.vti", "damask", grid=grid).notes
    assert any("DAMASK takes the lengths for metres" in note for note in notes)
    np.testing.assert_allclose(damask.GeomGrid.load(tmp_path / "a.vti").size, [1.25, 2, 6])


def test_the_form_is_the_one_that_damasks_solver_reads(tmp_path):
    """The solver reads less than VTK does: integers of four or eight bytes, inline and in one line."""
    write(MARKED, tmp_path / "a.vti", "damask", grid=GRID)
    text = (tmp_path / "a.vti").read_text()
    assert re.search(
        r'<DataArray type="Int32" Name="material" format="binary"[^\n]*>\n\s*[\w+/=]+\n\s*</DataArray>', text
    )
    assert 'byte_order="LittleEndian"' in text
    assert 'compressor="vtkZLibDataCompressor"' in text
    assert 'WholeExtent="0 5 0 4 0 3"' in text


def test_a_failure_of_vtk_is_an_error(tmp_path):
    image = vtk_image.image_data(MARKED, "phase", (1, 1, 1), (0, 0, 0))
    with pytest.raises(StoreError, match=r"a\.vti cannot be written: .*Free some space"):
        vtk_image.save_image(tmp_path / "nowhere" / "a.vti", image)
