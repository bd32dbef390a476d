from __future__ import annotations

import sys

import numpy as np
import pytest

from matvae.data import open_structures
from matvae.data.readers import vti
from matvae.errors import InputError, MissingExtraError
from matvae.testing import Example, reader_checks
from matvae.testing.reader import CHECKS

LABELS = np.random.default_rng(0).integers(0, 200, (17, 241, 299)).astype(np.uint8)
SPACING = (2.0, 0.5, 0.25)


def write(path, cells=None, points=None, extent=None, mode="appended"):
    """Write arrays by name; a cell array of n cells lies between n + 1 points."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkIOXML import vtkXMLImageDataWriter

    image = vtkImageData()
    if extent is None:
        shape = next(iter(cells.values())).shape if cells else next(iter(points.values())).shape
        extent = [bound for length in shape[::-1] for bound in (0, length if cells else length - 1)]
    image.SetExtent(extent)
    image.SetSpacing(SPACING[::-1])
    image.SetOrigin(10.0, 20.0, 30.0)
    for data, arrays in ((image.GetCellData(), cells or {}), (image.GetPointData(), points or {})):
        for name, values in arrays.items():
            array = numpy_to_vtk(values.reshape(-1, 3) if name == "vector" else values.ravel(), deep=True)
            array.SetName(name)
            data.AddArray(array)
    writer = vtkXMLImageDataWriter()
    writer.SetInputData(image)
    writer.SetFileName(str(path))
    if mode == "ascii":
        writer.SetDataModeToAscii()
    if mode == "raw":
        writer.SetCompressorTypeToNone()
        writer.EncodeAppendedDataOff()
    writer.Write()
    return path


def cell_example(folder):
    return Example(write(folder / "a.vti", {"phase": LABELS}), LABELS, voxel_size=SPACING)


def raw_cell_example(folder):
    values = LABELS.astype(np.int32)
    return Example(write(folder / "a.vti", {"phase": values}, mode="raw"), values, name="phase", voxel_size=SPACING)


def ascii_cell_example(folder):
    values = LABELS[:5, :20, :30]
    return Example(write(folder / "a.vti", {"phase": values}, mode="ascii"), values, voxel_size=SPACING)


def point_example(folder):
    return Example(write(folder / "a.vti", points={"phase": LABELS}), LABELS, voxel_size=SPACING)


@pytest.mark.parametrize("write_example", [cell_example, raw_cell_example, ascii_cell_example, point_example])
@pytest.mark.parametrize("number", range(len(CHECKS)), ids=[check.__name__ for check in CHECKS])
def test_the_reader_conforms(number, write_example, tmp_path):
    reader_checks("vti", write_example(tmp_path))[number]()


def test_cells_are_voxels_and_the_origin_is_their_corner(tmp_path):
    opened = open_structures(write(tmp_path / "a.vti", {"phase": LABELS % 3}))
    np.testing.assert_array_equal(opened.data.compute(), LABELS[None] % 3)
    assert opened.grid.axes == ("z", "y", "x")
    assert opened.grid.voxel_size == SPACING
    assert opened.grid.origin == (30.0, 20.0, 10.0)


def test_points_are_centres_of_voxels(tmp_path):
    opened = open_structures(write(tmp_path / "a.vti", points={"phase": LABELS % 3}))
    np.testing.assert_array_equal(opened.data.compute(), LABELS[None] % 3)
    assert opened.grid.origin == (30 - 1.0, 20 - 0.25, 10 - 0.125)


def test_an_extent_that_does_not_begin_at_zero_shifts_the_origin(tmp_path):
    path = write(tmp_path / "a.vti", {"phase": LABELS}, extent=[2, 301, 4, 245, -3, 14])
    source = vti.reader.open(path, None)
    np.testing.assert_array_equal(source.array[1:4, 7:9, 200:], LABELS[1:4, 7:9, 200:])
    assert source.origin == (30 - 3 * 2.0, 20 + 4 * 0.5, 10 + 2 * 0.25)


def test_a_flat_image_is_an_image(tmp_path):
    flat = LABELS[:1] % 2
    for name, extent in (("flat.vti", [0, 299, 0, 241, 0, 0]), ("layer.vti", [0, 299, 0, 241, 0, 1])):
        opened = open_structures(write(tmp_path / name, {"phase": flat}, extent=extent))
        np.testing.assert_array_equal(opened.data.compute(), flat)
        assert opened.grid.voxel_size == (0.5, 0.25)


def test_cell_data_come_before_point_data_and_names_choose(tmp_path):
    small = LABELS[:5, :6, :7]
    path = write(tmp_path / "a.vti", {"phase": small}, {"temperature": np.zeros((6, 7, 8))})
    np.testing.assert_array_equal(vti.reader.open(path, None).array[...], small)
    assert vti.reader.open(path, "temperature").array.shape == (6, 7, 8)
    path = write(tmp_path / "b.vti", {"phase": small, "grain": small})
    with pytest.raises(InputError, match="several arrays: 'grain', 'phase'"):
        open_structures(path)


def test_vectors_are_refused(tmp_path):
    path = write(tmp_path / "a.vti", {"phase": LABELS[:5, :6, :7], "vector": np.zeros((5, 6, 7, 3))})
    with pytest.raises(InputError, match=r"a\.vti \(vector\) should have one value per voxel, but has 3 components"):
        open_structures(path, name="vector")


def test_an_image_that_its_pieces_do_not_fill_is_refused(tmp_path):
    path = write(tmp_path / "a.vti", {"phase": LABELS})
    path.write_bytes(path.read_bytes().replace(b'WholeExtent="0 299 0 241 0 17"', b'WholeExtent="0 299 0 241 0 34"'))
    with pytest.raises(InputError, match=r"declares an image of 2450006 cells, but its pieces have 1225003"):
        open_structures(path)


def test_headers_that_declare_more_than_the_file_holds_are_refused(tmp_path):
    path = write(tmp_path / "a.vti", {"phase": LABELS})
    path.write_bytes(path.read_bytes().replace(b'Extent="0 299 0 241 0 17"', b'Extent="0 99999 0 99999 0 99"'))
    with pytest.raises(InputError, match=f"declares {99999 * 99999 * 99} bytes"):
        open_structures(path)


def test_the_extra_is_named_if_vtk_is_missing(tmp_path, monkeypatch):
    path = write(tmp_path / "a.vti", {"phase": LABELS})
    monkeypatch.setitem(sys.modules, "vtkmodules.vtkIOXMLParser", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[vtk\]'"):
        open_structures(path)
