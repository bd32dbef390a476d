from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import tifffile

from matvae import Grid
from matvae.data import Structures, write
from matvae.data.writers import tiff
from matvae.errors import InputError

GRID = Grid((3, 4, 5), phases=3, voxel_size=(2.0, 0.5, 0.25), unit="micrometer", origin=(10, 20, 30))
LABELS = np.random.default_rng(0).integers(0, 3, (2, 3, 4, 5)).astype(np.uint8)


@pytest.mark.parametrize(
    ("unit", "written"), [("micrometer", "um"), ("µm", "um"), ("nm", "nm"), ("Å", "angstrom"), ("furlong", "furlong")]
)
def test_imagej_gets_its_own_words(tmp_path, unit, written):
    write(LABELS[0], tmp_path / "a.tif", grid=Grid((3, 4, 5), phases=3, voxel_size=(2.0, 0.5, 0.25), unit=unit))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.is_imagej
        assert file.series[0].axes == "ZYX"
        assert (file.imagej_metadata["unit"], file.imagej_metadata["spacing"]) == (written, 2.0)
        assert file.pages[0].tags["XResolution"].value == (4, 1)
        assert file.pages[0].tags["YResolution"].value == (2, 1)


@pytest.mark.parametrize(
    ("size", "unit", "expected", "word"),
    [(2e-10, "m", 2, "angstrom"), (2.4e7, "nm", 2.4, "cm"), (0.5, "Å", 0.5, "angstrom")],
)
def test_lengths_that_tags_cannot_hold_are_written_in_another_unit(tmp_path, size, unit, expected, word):
    grid = Grid((3, 4, 5), phases=3, voxel_size=size, unit=unit, origin=(0, 0, 2 * size))
    write(LABELS[0], tmp_path / "a.tif", grid=grid)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        pixels, of = file.pages[0].tags["XResolution"].value
        assert of / pixels == pytest.approx(expected)
        assert file.imagej_metadata["spacing"] == pytest.approx(expected)
        assert file.imagej_metadata["unit"] == word
        assert file.imagej_metadata["xorigin"] == pytest.approx(-2)
    with pytest.raises(InputError, match="State it in another unit"):
        write(LABELS[0], tmp_path / "b.tif", grid=Grid((3, 4, 5), phases=3, voxel_size=1e-9, unit="furlong"))


def test_words_that_are_not_ascii_are_replaced(tmp_path):
    write(LABELS[0], tmp_path / "a.tif", grid=Grid((3, 4, 5), phases=3, voxel_size=0.5, unit="µ-inch"))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.imagej_metadata["unit"] == "?-inch"


def test_a_large_image_is_one_page_however_it_is_stored(tmp_path, monkeypatch):
    monkeypatch.setattr("matvae.data.writers.writer.READ_BYTES", 100)
    image = np.random.default_rng(0).integers(0, 2, (2, 20, 30)).astype(np.uint8)
    write(da.from_array(image, chunks=(1, 6, 7)), tmp_path / "a.tif", grid=Grid((20, 30)))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), image)


def test_samples_are_frames_and_images_have_no_slices(tmp_path):
    write(Structures(LABELS, GRID), tmp_path / "a.tif")
    write(Structures(LABELS[:, 0], Grid((4, 5), phases=3)), tmp_path / "b.tif")
    write(Structures(LABELS, GRID), tmp_path / "a.ome.tif")
    for name, axes in (("a.tif", "TZYX"), ("b.tif", "TYX"), ("a.ome.tif", "TZYX")):
        with tifffile.TiffFile(tmp_path / name) as file:
            assert file.series[0].axes == axes
    assert tifffile.imread(tmp_path / "a.ome.tif").tolist() == LABELS.tolist()


def test_more_than_imagej_can_read_is_refused_and_ome_tiff_takes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "_MOST_BYTES", 50)
    with pytest.raises(InputError, match=r"up to 4 GB.*name it a\.ome\.tif"):
        write(LABELS[0], tmp_path / "a.tif", grid=GRID)
    write(LABELS[0], tmp_path / "a.ome.tif", grid=GRID)
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as file:
        assert file.is_bigtiff
        assert file.asarray().tolist() == LABELS[0].tolist()


@pytest.mark.parametrize(
    ("unit", "written"), [("micrometer", "µm"), ("nanometer", "nm"), ("furlong", "reference frame")]
)
def test_ome_tiff_states_the_unit_or_that_it_is_unknown(tmp_path, unit, written):
    grid = Grid((3, 4, 5), phases=3, voxel_size=(2.0, 0.5, 0.25), unit=unit)
    notes = write(LABELS[0], tmp_path / "a.ome.tif", grid=grid).notes
    pixels = tifffile.xml2dict(tifffile.tiffcomment(tmp_path / "a.ome.tif"))["OME"]["Image"]["Pixels"]
    assert [pixels[f"PhysicalSize{axis}"] for axis in "ZYX"] == [2.0, 0.5, 0.25]
    assert {pixels[f"PhysicalSize{axis}Unit"] for axis in "ZYX"} == {written}
    assert bool(notes) == (unit == "furlong")
