from __future__ import annotations

import sys

import nrrd
import numpy as np
import pytest

from matvae.data import open_structures
from matvae.data.readers import itk
from matvae.errors import InputError, MissingExtraError, StoreError
from matvae.testing import Example, reader_checks
from matvae.testing.reader import CHECKS

LABELS = np.random.default_rng(0).integers(0, 200, (17, 241, 299)).astype(np.uint8)
SPACING = (2.0, 0.5, 0.25)
# ITK gives the centre of the first voxel, (x, y, z) = (10, 20, 30).
CORNER = (30 - 1.0, 20 - 0.25, 10 - 0.125)


def write_metaimage(path, values, compressed=False):
    """Write with VTK, whose first index is that of x."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkIOImage import vtkMetaImageWriter

    image = vtkImageData()
    image.SetDimensions(values.shape[::-1])
    image.SetSpacing(SPACING[::-1])
    image.SetOrigin(10.0, 20.0, 30.0)
    image.GetPointData().SetScalars(numpy_to_vtk(values.ravel(), deep=True))
    writer = vtkMetaImageWriter()
    writer.SetInputData(image)
    writer.SetFileName(str(path))
    if path.suffix == ".mhd":
        writer.SetRAWFileName(str(path.with_suffix(".raw")))
    writer.SetCompression(compressed)
    writer.Write()
    return path


def write_nrrd(path, values, encoding="gzip", **header):
    """Write with pynrrd, whose first index is that of x."""
    directions = {"space directions": np.diag(SPACING[::-1]), "space origin": [10.0, 20.0, 30.0], "space dimension": 3}
    nrrd.write(str(path), values.transpose(), {**directions, **header, "encoding": encoding}, index_order="F")
    return path


def mha_example(folder):
    path = write_metaimage(folder / "a.mha", LABELS)
    return Example(path, LABELS, voxel_size=SPACING, axes="zyx", origin=CORNER)


def compressed_mha_example(folder):
    path = write_metaimage(folder / "a.mha", LABELS.astype(np.int16), compressed=True)
    return Example(path, LABELS.astype(np.int16), voxel_size=SPACING, axes="zyx", origin=CORNER)


def mhd_example(folder):
    return Example(write_metaimage(folder / "a.mhd", LABELS), LABELS, voxel_size=SPACING, axes="zyx", origin=CORNER)


def nrrd_example(folder):
    return Example(write_nrrd(folder / "a.nrrd", LABELS), LABELS, voxel_size=SPACING, axes="zyx", origin=CORNER)


def raw_nrrd_example(folder):
    values = LABELS.astype(np.uint16)
    return Example(
        write_nrrd(folder / "a.nrrd", values, "raw", endian="little"),
        values,
        voxel_size=SPACING,
        axes="zyx",
        origin=CORNER,
    )


EXAMPLES = [mha_example, compressed_mha_example, mhd_example, nrrd_example, raw_nrrd_example]


@pytest.mark.parametrize("write", EXAMPLES)
@pytest.mark.parametrize("number", range(len(CHECKS)), ids=[check.__name__ for check in CHECKS])
def test_the_reader_conforms(number, write, tmp_path):
    reader_checks("itk", write(tmp_path))[number]()


@pytest.mark.parametrize("write", EXAMPLES)
def test_an_image_is_one_volume_with_voxel_size_and_the_corner_of_its_first_voxel(write, tmp_path):
    values = LABELS % 2
    path = write(tmp_path).path
    write_nrrd(path, values) if path.suffix == ".nrrd" else write_metaimage(path, values)
    opened = open_structures(path)
    np.testing.assert_array_equal(opened.data.compute(), values[None])
    assert opened.grid.axes == ("z", "y", "x")
    assert opened.grid.voxel_size == SPACING
    assert opened.grid.origin == CORNER


def test_the_raw_file_of_a_metaimage_is_opened_with_its_header(tmp_path):
    opened = open_structures(write_metaimage(tmp_path / "a.mhd", LABELS % 3).with_suffix(".raw"))
    np.testing.assert_array_equal(opened.data.compute(), LABELS[None] % 3)
    assert opened.grid.voxel_size == SPACING


def test_an_image_of_two_axes_is_one_image(tmp_path):
    import SimpleITK

    image = SimpleITK.GetImageFromArray(LABELS[0] % 2)
    image.SetSpacing((0.25, 0.5))
    SimpleITK.WriteImage(image, str(tmp_path / "a.mha"))
    opened = open_structures(tmp_path / "a.mha")
    np.testing.assert_array_equal(opened.data.compute(), LABELS[:1] % 2)
    assert opened.grid.voxel_size == (0.5, 0.25)


def test_the_origin_of_a_rotated_image_is_unknown(tmp_path):
    turned = np.array([[0, 0.25, 0], [0.5, 0, 0], [0, 0, 2.0]])
    source = itk.reader.open(write_nrrd(tmp_path / "a.nrrd", LABELS, **{"space directions": turned}), None)
    assert source.origin is None
    assert source.voxel_size == (2.0, 0.5, 0.25)
    np.testing.assert_array_equal(source.array[...], LABELS)


def test_colours_are_refused(tmp_path):
    import SimpleITK

    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(LABELS[:3].T, isVector=True), str(tmp_path / "a.mha"))
    with pytest.raises(InputError, match="has 3 channels or components"):
        open_structures(tmp_path / "a.mha")


@pytest.mark.parametrize("name", ["a.mha", "a.nrrd"])
def test_headers_that_declare_more_than_the_file_holds_are_refused(tmp_path, name):
    write = write_metaimage if name == "a.mha" else write_nrrd
    path = write(tmp_path / name, LABELS)
    content = path.read_bytes()
    assert content.count(b"299 241 17") == 1
    path.write_bytes(content.replace(b"299 241 17", b"99999 99999 99"))
    with pytest.raises(InputError, match=f"declares {99999 * 99999 * 99} bytes"):
        open_structures(path)


def test_a_header_that_declares_more_than_its_raw_file_holds_is_refused(tmp_path):
    path = write_metaimage(tmp_path / "a.mhd", LABELS)
    path.write_text(path.read_text().replace("299 241 17", "99999 99999 99"))
    for file in (path, path.with_suffix(".raw")):
        with pytest.raises(
            InputError, match=f"declares {99999 * 99999 * 99} bytes of values, but its {LABELS.size} bytes"
        ):
            open_structures(file)


def test_slices_in_files_of_their_own_are_one_volume(tmp_path):
    path = write_metaimage(tmp_path / "a.mhd", LABELS % 2)
    for i, layer in enumerate(LABELS % 2):
        (tmp_path / f"slice{i:02}.raw").write_bytes(layer.tobytes())
    (tmp_path / "a.raw").unlink()
    path.write_text(path.read_text().replace("a.raw", "slice%02d.raw 0 16 1"))
    np.testing.assert_array_equal(open_structures(path).data[0].compute(), LABELS % 2)


def test_a_metaimage_whose_raw_file_was_cut_off_is_an_error(tmp_path):
    opened = open_structures(write_metaimage(tmp_path / "a.mhd", LABELS % 2), phase_values=(0, 1))
    raw = tmp_path / "a.raw"
    raw.write_bytes(raw.read_bytes()[: 10 * 241 * 299])
    with pytest.raises(StoreError, match=r"a\.mhd cannot be read"):
        opened.data.compute()


def test_the_extra_is_named_if_simple_itk_is_missing(tmp_path, monkeypatch):
    path = write_nrrd(tmp_path / "a.nrrd", LABELS)
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[itk\]'"):
        open_structures(path)
