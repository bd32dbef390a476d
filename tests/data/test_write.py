from __future__ import annotations

import json
import sys

import dask.array as da
import numpy as np
import pytest
import tifffile

from matvae import Grid
from matvae.data import Structures, open_structures, save_structures, write
from matvae.data.writers import WRITERS, Writer
from matvae.errors import InputError, MissingExtraError, PluginError, StoreError

GRID = Grid((3, 4, 5), phases=3, voxel_size=(2.0, 0.5, 0.25), unit="micrometer")
LABELS = np.random.default_rng(0).integers(0, 3, (4, 3, 4, 5)).astype(np.uint8)
SET = Structures(LABELS, GRID)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.vti", "vti"),
        ("a.tif", "tiff"),
        ("A.TIFF", "tiff"),
        ("a.ome.tif", "ome-tiff"),
        ("a.b.ome.tiff", "ome-tiff"),
        ("a.npy", "npy"),
        ("a.raw", "raw"),
        ("a.zarr", "ome-zarr"),
        ("a.ome.zarr", "ome-zarr"),
        ("a.inp", "abaqus"),
        ("a.stl", "stl"),
    ],
)
def test_the_ending_chooses_the_format(tmp_path, name, format):
    assert write(LABELS[0], tmp_path / name, grid=GRID).format == format


def test_a_name_chooses_between_formats_of_one_ending(tmp_path):
    assert write(SET[:1], tmp_path / "a.vti", "damask").format == "damask"
    with pytest.raises(InputError, match=r"format damask ends in \.vti, but a\.tif was given\. Name it a\.vti"):
        write(SET[:1], tmp_path / "a.tif", "damask")
    with pytest.raises(PluginError, match=r"no writer called 'damsk'.*Did you mean 'damask'"):
        write(SET[:1], tmp_path / "a.vti", "damsk")


@pytest.mark.parametrize("name", ["a", "a.xyz", ".vti"])
def test_an_unknown_ending_is_refused_with_the_known_ones(tmp_path, name):
    with pytest.raises(InputError, match=r"ending of .* Formats are vti \(\.vti\), damask \(\.vti\), tiff"):
        write(SET[:1], tmp_path / name)


def test_a_plugin_adds_a_format(tmp_path, monkeypatch):
    monkeypatch.setattr(WRITERS, "targets", {**WRITERS.builtin, "text": f"{__name__}:text_writer"})
    assert write(SET[:1], tmp_path / "a.text").format == "text"
    assert (tmp_path / "a.text").read_text() == "(3, 4, 5)"


def test_one_file_per_sample_is_numbered_by_its_index(tmp_path):
    written = write(SET, tmp_path / "a.inp", samples=slice(1, 3))
    assert [path.name for path in written.files] == names(tmp_path) == ["a_0001.inp", "a_0002.inp"]
    assert written.samples == (1, 2)
    alone = write(SET, tmp_path / "b.inp", samples=2)
    assert [path.name for path in alone.files] == ["b.inp"]
    assert (tmp_path / "b.inp").read_text() == (tmp_path / "a_0002.inp").read_text()
    assert (tmp_path / "b.inp").read_text() != (tmp_path / "a_0001.inp").read_text()
    write(SET, tmp_path / "c.ome.tif", samples="all", format="ome-tiff")
    assert "c.ome.tif" in names(tmp_path)


def test_all_samples_go_into_a_file_that_holds_several(tmp_path):
    write(SET, tmp_path / "a.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), LABELS)
    write(SET, tmp_path / "b.npy", samples=slice(1, 3))
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), LABELS[1:3])
    write(SET, tmp_path / "c.npy", samples=3)
    np.testing.assert_array_equal(np.load(tmp_path / "c.npy"), LABELS[3])


def test_of_several_samples_for_a_format_of_one_none_is_guessed(tmp_path):
    with pytest.raises(InputError, match=r"holds one sample, but there are 4\..*samples=slice\(0, 4\)"):
        write(SET, tmp_path / "a.inp")
    # The advice.
    assert len(write(SET, tmp_path / "a.inp", samples=0).files) == 1
    assert len(write(SET, tmp_path / "a.inp", samples=slice(0, 4)).files) == 4
    assert len(write(SET, tmp_path / "b.inp", samples="all").files) == 4


@pytest.mark.parametrize("samples", [4, -1, slice(2, 9), slice(2, 2), slice(-2, None)])
def test_samples_that_do_not_exist_are_refused(tmp_path, samples):
    with pytest.raises(InputError, match="There are the samples 0 to 3"):
        write(SET, tmp_path / "a.npy", samples=samples)


@pytest.mark.parametrize("samples", [slice(0, 4, 2), "some", [0, 1], True, 1.0])
def test_other_choices_of_samples_are_refused(tmp_path, samples):
    with pytest.raises(InputError, match="samples must be an index, a slice with step 1, or 'all'"):
        write(SET, tmp_path / "a.npy", samples=samples)


def test_arrays_need_a_grid(tmp_path):
    with pytest.raises(InputError, match=r"An array does not say what its axes and values are, here of shape \(4, 3"):
        write(LABELS, tmp_path / "a.npy")
    for array in (LABELS, da.from_array(LABELS, chunks=2), LABELS.astype(np.int64)):
        write(array, tmp_path / "a.npy", grid=GRID, overwrite=True)
        np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), LABELS)
        assert np.load(tmp_path / "a.npy").dtype == np.uint8
    with pytest.raises(InputError, match="need data of shape"):
        write(LABELS[0, 0], tmp_path / "b.npy", grid=GRID)


def test_values_that_are_no_labels_are_refused_and_nothing_remains(tmp_path):
    wrong = LABELS.astype(np.int16)
    wrong[2, 0, 0, 0] = 7
    for name in ("a.npy", "a.vti", "a.tif", "a.zarr"):
        with pytest.raises(InputError, match=r"labels 0 to 2, but 1 voxel of sample 2 holds 7"):
            write(wrong, tmp_path / name, grid=GRID, samples=2)
        assert names(tmp_path) == []
    with pytest.raises(InputError, match="labels 0 to 2"):
        write(wrong, tmp_path / "a.inp", grid=GRID, samples="all")
    assert names(tmp_path) == []


def test_fields_are_refused_by_formats_of_labels(tmp_path):
    field = Structures(np.zeros((1, 3, 4, 5)), Grid((3, 4, 5), phases=1))
    for format, name in (("damask", "a.vti"), ("abaqus", "a.inp"), ("stl", "a.stl")):
        with pytest.raises(InputError, match=f"{format} holds the labels of phases.*vti, tiff, ome-tiff, npy, raw"):
            write(field, tmp_path / name, format)
    write(field, tmp_path / "a.npy")
    assert np.load(tmp_path / "a.npy").dtype == np.float32


def test_existing_files_are_replaced_on_request_only(tmp_path):
    write(SET, tmp_path / "a.inp", samples=slice(1, 3))
    before = (tmp_path / "a_0002.inp").read_text()
    with pytest.raises(InputError, match=r"a_0002\.inp exists already.*overwrite=True"):
        write(SET, tmp_path / "a.inp", samples=slice(2, 4))
    assert names(tmp_path) == ["a_0001.inp", "a_0002.inp"]
    assert (tmp_path / "a_0002.inp").read_text() == before
    write(SET, tmp_path / "a.inp", samples=slice(2, 4), overwrite=True)
    assert names(tmp_path) == ["a_0001.inp", "a_0002.inp", "a_0003.inp"]
    (tmp_path / "b.json").write_text("notes")
    with pytest.raises(InputError, match=r"b\.json exists already"):
        write(SET, tmp_path / "b.raw")


def test_only_images_of_ome_zarr_are_replaced_as_folders(tmp_path):
    write(SET, tmp_path / "a.zarr")
    write(SET[:1], tmp_path / "a.zarr", overwrite=True)
    assert json.loads((tmp_path / "a.zarr" / "0" / "zarr.json").read_text())["shape"] == [3, 4, 5]
    save_structures(tmp_path / "store.zarr", SET)
    (tmp_path / "folder.zarr").mkdir()
    for name in ("store.zarr", "folder.zarr"):
        with pytest.raises(InputError, match="is a folder and not an OME-Zarr image, so it is not replaced"):
            write(SET, tmp_path / name, overwrite=True)
    assert len(open_structures(tmp_path / "store.zarr")) == 4


def test_a_failure_leaves_nothing_and_keeps_what_was_there(tmp_path):
    write(SET, tmp_path / "a.npy")

    def fail(block):
        raise RuntimeError("no more voxels")

    broken = Structures(SET.data.rechunk(1).map_blocks(fail, dtype=np.uint8, meta=np.empty((0,) * 4, np.uint8)), GRID)
    for name in ("a.npy", "b.tif", "b.zarr", "b.vti"):
        with pytest.raises(RuntimeError, match="no more voxels"):
            write(broken, tmp_path / name, overwrite=True, samples=0)
    assert names(tmp_path) == ["a.npy"]
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), LABELS)


def test_a_full_disk_is_reported(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", fail)
    with pytest.raises(StoreError, match=r"a\.npy cannot be written: No space left on device\. Nothing of it remains"):
        write(SET, tmp_path / "a.npy")
    assert names(tmp_path) == []


def test_the_folder_must_exist(tmp_path):
    with pytest.raises(InputError, match=r"does not exist\. Create it first"):
        write(SET, tmp_path / "nowhere" / "a.npy")


def test_what_a_format_does_not_hold_is_said(tmp_path):
    placed = Structures(LABELS, Grid((3, 4, 5), phases=3, voxel_size=0.5, unit="nm", origin=(1, 2, 3)))
    (note,) = write(placed, tmp_path / "a.npy").notes
    assert "npy does not hold the voxel size (0.5 x 0.5 x 0.5 nm) and origin (1 x 2 x 3 nm)" in note
    (note,) = write(placed, tmp_path / "a.stl", samples=0).notes
    assert "stl does not hold the unit (nm)" in note
    assert write(placed, tmp_path / "a.vti", samples=0).notes == ()


def test_an_unknown_voxel_size_or_unit_is_said_and_the_advice_works(tmp_path):
    save_structures(tmp_path / "s.zarr", LABELS[:1], grid=Grid((3, 4, 5), phases=3))
    (note,) = write(open_structures(tmp_path / "s.zarr"), tmp_path / "a.vti").notes
    assert "voxel_size=0.5, unit='micrometer'" in note
    (note,) = write(open_structures(tmp_path / "s.zarr", voxel_size=0.5), tmp_path / "b.vti").notes
    assert "unit='micrometer'" in note
    advised = open_structures(tmp_path / "s.zarr", voxel_size=0.5, unit="micrometer")
    written = write(advised, tmp_path / "c.vti")
    assert written.notes == ()
    assert written.grid.voxel_size == (0.5, 0.5, 0.5)


def test_a_missing_library_is_named_with_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vtkmodules.vtkCommonDataModel", None)
    monkeypatch.setitem(sys.modules, "tifffile", None)
    for name, extra in (("a.vti", "vtk"), ("a.stl", "vtk"), ("a.tif", "tiff")):
        with pytest.raises(MissingExtraError, match=rf"pip install 'matvae\[{extra}\]'"):
            write(SET, tmp_path / name, samples=0)
    assert names(tmp_path) == []


def test_progress_counts_files(tmp_path):
    steps = []
    write(SET, tmp_path / "a.inp", samples="all", progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_what_is_written_can_be_opened_again(tmp_path):
    write(SET, tmp_path / "a.zarr")
    again = open_structures(tmp_path / "a.zarr")
    np.testing.assert_array_equal(again.data.compute(), LABELS)
    assert (again.grid.voxel_size, again.grid.unit) == (GRID.voxel_size, GRID.unit)
    write(SET, tmp_path / "a.tif", samples=1)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), LABELS[1])


class TextWriter(Writer):
    suffixes = (".text",)
    holds = frozenset()

    def write(self, path, structures):
        path.write_text(str(structures.grid.shape))
        return []


text_writer = TextWriter()
