from __future__ import annotations

import numpy as np
import pytest
import tifffile

from matvae.data import Structures, open_structures, save_structures
from matvae.data.readers import READERS, Source
from matvae.errors import InputError
from matvae.grid import Grid


@pytest.fixture
def save(tmp_path):
    def save(shape):
        values = (np.arange(np.prod(shape)) % 2).reshape(shape).astype(np.uint8)
        np.save(tmp_path / "a.npy", values)
        return tmp_path / "a.npy", values

    return save


@pytest.mark.parametrize(
    ("shape", "spatial_dims", "expected"),
    [
        ((9,), None, (1, 9)),
        ((4, 5), None, (1, 4, 5)),
        ((3, 4, 5), None, (3, 4, 5)),
        ((2, 3, 4, 5), None, (2, 3, 4, 5)),
        ((4, 5, 1), None, (1, 4, 5)),
        ((9,), 1, (1, 9)),
        ((4, 9), 1, (4, 9)),
        ((4, 5), 2, (1, 4, 5)),
        ((3, 4, 5), 2, (3, 4, 5)),
        ((3, 4, 5), 3, (1, 3, 4, 5)),
        ((2, 3, 4, 5), 3, (2, 3, 4, 5)),
        ((3, 4, 5, 1), 3, (1, 3, 4, 5)),
        ((2, 3, 4, 5, 1), 3, (2, 3, 4, 5)),
    ],
)
@pytest.mark.filterwarnings("ignore:.*stack of 3 images")
def test_axes_are_assigned_to_samples_and_space(save, shape, spatial_dims, expected):
    path, values = save(shape)
    opened = open_structures(path, spatial_dims=spatial_dims)
    assert opened.grid == Grid(expected[1:], phases=2, periodic=False)
    np.testing.assert_array_equal(opened.data.compute(), values.reshape(expected))


@pytest.mark.parametrize(
    ("shape", "spatial_dims", "message"),
    [
        ((2, 2, 2, 2, 2), None, "1 to 4 axes"),
        ((), None, "1 to 4 axes"),
        ((4, 0), None, "none of them empty"),
        ((4, 5), 3, r"3 or 4 axes .* its shape is \(4, 5\)"),
        ((2, 3, 4, 5), 2, "2 or 3 axes"),
        ((4, 5), 4, "spatial_dims must be an integer from 1 to 3, but 4"),
    ],
)
def test_other_numbers_of_axes_are_refused(save, shape, spatial_dims, message):
    path, _ = save(shape)
    with pytest.raises(InputError, match=message):
        open_structures(path, spatial_dims=spatial_dims)


def test_parameters_override_the_grid_of_the_file(save):
    path, _ = save((4, 6))
    grid = open_structures(path, periodic=True, voxel_size=(1, 2), unit="nm").grid
    assert grid == Grid((4, 6), voxel_size=(1, 2), unit="nm", periodic=True)


def test_a_store_states_whether_it_is_periodic(tmp_path):
    save_structures(tmp_path / "s.zarr", np.zeros((2, 4), dtype=np.uint8))
    assert open_structures(tmp_path / "s.zarr").grid.periodic
    assert not open_structures(tmp_path / "s.zarr", periodic=False).grid.periodic


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spatial_dims": 2}, "holds 1-D structures, but spatial_dims=2"),
        ({"name": "other"}, "no arrays to choose from by name"),
        ({"phase_values": (0, 255)}, "labels already are phases"),
    ],
)
def test_parameters_that_contradict_a_store_are_refused(tmp_path, arguments, message):
    save_structures(tmp_path / "s.zarr", np.zeros((2, 4), dtype=np.uint8))
    with pytest.raises(InputError, match=message):
        open_structures(tmp_path / "s.zarr", **arguments)
    assert len(open_structures(tmp_path / "s.zarr", spatial_dims=1, name="phase", phase_values="auto")) == 2


def test_axes_that_contradict_a_store_are_refused(tmp_path):
    save_structures(tmp_path / "s.zarr", np.zeros((2, 4, 5), dtype=np.uint8))
    with pytest.raises(InputError, match="with the axes yx, but axes='zyx' was given"):
        open_structures(tmp_path / "s.zarr", axes="zyx")
    assert len(open_structures(tmp_path / "s.zarr", axes="syx")) == 2


def test_a_list_of_files_is_one_set_with_the_same_phases(tmp_path):
    values = [np.array([[0, 255, 0]], np.uint8), np.array([[255, 128, 0]], np.uint8)]
    for name, image in zip("ab", values, strict=True):
        np.save(tmp_path / f"{name}.npy", image)
    opened = open_structures([tmp_path / "a.npy", str(tmp_path / "b.npy")], phase_values="auto", voxel_size=2)
    np.testing.assert_array_equal(opened.data.compute(), [[[0, 2, 0]], [[2, 1, 0]]])
    assert opened.attributes["phase_values"] == [0, 128, 255]
    assert opened.grid.voxel_size == (2, 2)


def test_structures_are_returned_with_overrides():
    given = Structures(np.zeros((2, 4), dtype=np.uint8), Grid((4,), voxel_size=3))
    opened = open_structures(given, periodic=False, unit="nm")
    assert opened.grid == Grid((4,), voxel_size=3, unit="nm", periodic=False)
    assert opened.data is given.data
    with pytest.raises(InputError, match="already are phases"):
        open_structures(given, phase_values=(0, 255))


def test_a_voxel_size_that_is_given_replaces_what_the_file_states(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 4, 5), np.uint8), imagej=True, resolution=(2, 2),
                     metadata={"axes": "ZYX", "spacing": 2.0, "unit": "um", "zorigin": 1})  # fmt: skip
    assert open_structures(tmp_path / "a.tif").grid.origin == (-2, 0, 0)
    grid = open_structures(tmp_path / "a.tif", voxel_size=3, unit="nm").grid
    assert (grid.voxel_size, grid.unit, grid.origin) == ((3, 3, 3), "nm", None)


def test_unreadable_paths_are_described(tmp_path):
    with pytest.raises(InputError, match=r"There is no file or folder .*nothing\.zarr"):
        open_structures(tmp_path / "nothing.zarr")
    with pytest.raises(InputError, match=r"The folder is empty\. Supported are matvae stores"):
        open_structures(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"The folder contains notes\.txt\."):
        open_structures(tmp_path)
    with pytest.raises(InputError, match=r"notes\.txt is not a file or folder that matvae can read"):
        open_structures(tmp_path / "notes.txt")


def test_a_plugin_reads_files_that_no_built_in_reader_supports(save, tmp_path, monkeypatch):
    class Plugin:
        def matches(self, path):
            return path.suffix == ".vox"

        def open(self, path, name):
            return Source(READERS.get("numpy").open(tmp_path / "a.npy", name).array, 3, (1, 2, 3), "nm")

    _, values = save((3, 4, 5))
    (tmp_path / "a.vox").write_text("")
    monkeypatch.setattr("matvae.data.readers.zarr.vox", Plugin(), raising=False)
    monkeypatch.setitem(READERS.targets, "vox", "matvae.data.readers.zarr:vox")
    opened = open_structures(tmp_path / "a.vox")
    np.testing.assert_array_equal(opened.data.compute(), values[None])
    assert (opened.grid.voxel_size, opened.grid.unit) == ((1, 2, 3), "nm")
