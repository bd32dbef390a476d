from __future__ import annotations

import sys

import h5py
import numpy as np
import pytest

from matvae.data import open_structures
from matvae.errors import InputError, MissingExtraError

LABELS = np.random.default_rng(0).integers(1, 4, (5, 6, 7)).astype(np.int32)


def dream3d(path, labels, **more):
    with h5py.File(path, "w") as file:
        for name, values in {"Phases": labels[..., None], **more}.items():
            file[f"DataContainers/Volume/CellData/{name}"] = values
        file["DataContainers/Volume/_SIMPL_GEOMETRY/SPACING"] = np.array([0.1, 0.2, 0.3], dtype=np.float32)
        file["DataContainers/Volume/_SIMPL_GEOMETRY/ORIGIN"] = np.array([1, 2, 3], dtype=np.float32)
        file["DataContainers/Volume/_SIMPL_GEOMETRY/DIMENSIONS"] = np.array(labels.shape[::-1])
        file["DataContainers/Volume/Ensemble/Names"] = np.array([1, 2])


def test_the_only_data_set_of_a_file_is_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("group/labels", data=LABELS - 1, chunks=(2, 3, 7), compression="gzip")
        file["note"] = "text is not a candidate"
    opened = open_structures(tmp_path / "a.h5", axes="syx")
    np.testing.assert_array_equal(opened.data.compute(), LABELS - 1)
    np.testing.assert_array_equal(
        open_structures(tmp_path / "a.h5", spatial_dims=3).data[0, 1:3].compute(), LABELS[1:3] - 1
    )


def test_several_data_sets_are_listed(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["a/labels"] = LABELS - 1
        file["b/labels"] = LABELS[:2] - 1
        file["c"] = LABELS - 1
    with pytest.raises(InputError, match=r"several data sets: 'a/labels', 'b/labels', 'c'"):
        open_structures(tmp_path / "a.hdf5")
    with pytest.raises(InputError, match="several data sets called 'labels'"):
        open_structures(tmp_path / "a.hdf5", name="labels")
    assert len(open_structures(tmp_path / "a.hdf5", name="b/labels", axes="syx")) == 2


def test_a_dream3d_volume_is_one_sample_with_its_voxel_size(tmp_path):
    dream3d(tmp_path / "a.dream3d", LABELS)
    opened = open_structures(tmp_path / "a.dream3d", phase_values=(1, 2, 3))
    np.testing.assert_array_equal(opened.data.compute(), LABELS[None] - 1)
    assert opened.grid.voxel_size == (0.3, 0.2, 0.1)
    assert opened.grid.origin == (3, 2, 1)
    assert opened.grid.axes == ("z", "y", "x")


def test_a_single_layer_of_dream3d_is_an_image(tmp_path):
    dream3d(tmp_path / "a.dream3d", LABELS[:1])
    opened = open_structures(tmp_path / "a.dream3d", phase_values="auto")
    np.testing.assert_array_equal(opened.data.compute(), LABELS[:1] - 1)
    assert opened.grid.voxel_size == pytest.approx((0.2, 0.1))


def dream3d_nx(path, values, dimensions):
    """Write a file of format 8.0, in which the geometry is a group with attributes above its arrays."""
    with h5py.File(path, "w") as file:
        file.attrs["FileVersion"] = np.bytes_(b"8.0")
        geometry = file.create_group("DataStructure/Image Geom")
        geometry.attrs["ObjectType"] = np.bytes_(b"ImageGeom")
        geometry.attrs["_DIMENSIONS"] = np.array(dimensions, "u8")
        geometry.attrs["_SPACING"] = np.array([0.5, 0.25, 2], "f4")
        geometry.attrs["_ORIGIN"] = np.array([10, 20, 30], "f4")
        cells = geometry.create_group("Cell Data")
        cells.attrs["ObjectType"] = np.bytes_(b"AttributeMatrix")
        cells.create_dataset("Phases", data=values)
        geometry.create_dataset("Ensemble/Numbers", data=np.zeros((3, 1, 1, 1)))


@pytest.mark.parametrize("has_components", [True, False])
def test_a_dream3d_nx_volume_is_one_sample_with_its_voxel_size_and_origin(tmp_path, has_components):
    dream3d_nx(tmp_path / "a.dream3d", LABELS[..., None] if has_components else LABELS, (7, 6, 5))
    opened = open_structures(tmp_path / "a.dream3d", phase_values=(1, 2, 3))
    np.testing.assert_array_equal(opened.data.compute(), LABELS[None] - 1)
    assert opened.grid.voxel_size == (2, 0.25, 0.5)
    assert opened.grid.origin == (30, 20, 10)
    assert opened.attributes["axes"] == "zyx, as the file states"
    slices = open_structures(tmp_path / "a.dream3d", phase_values=(1, 2, 3), axes="syx")
    assert (slices.data.shape, slices.grid.voxel_size) == ((5, 6, 7), (0.25, 0.5))


def test_colours_of_dream3d_nx_are_refused_as_those_of_dream3d(tmp_path):
    dream3d_nx(tmp_path / "a.dream3d", np.zeros((1, 64, 64, 3), np.uint8), (64, 64, 1))
    with pytest.raises(InputError, match="one value per cell, but has 3 components"):
        open_structures(tmp_path / "a.dream3d", phase_values="auto")


def test_a_data_set_that_declares_more_than_the_file_holds_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("labels", (10**5, 10**5), "u1")
    with pytest.raises(InputError, match=r"a\.h5 \(labels\) declares 10000000000 bytes"):
        open_structures(tmp_path / "a.h5")


def test_dream3d_arrays_are_chosen_by_the_last_part_of_their_name(tmp_path):
    dream3d(tmp_path / "a.dream3d", LABELS, FeatureIds=LABELS[..., None], EulerAngles=np.zeros((5, 6, 7, 3)))
    with pytest.raises(InputError, match=r"several data sets: .*EulerAngles.*FeatureIds.*Phases"):
        open_structures(tmp_path / "a.dream3d")
    assert open_structures(tmp_path / "a.dream3d", name="Phases", phase_values="auto").grid.phases == 3
    with pytest.raises(InputError, match="has 3 components"):
        open_structures(tmp_path / "a.dream3d", name="EulerAngles")


def test_files_without_numbers_and_damaged_files_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["note"] = "text"
    with pytest.raises(InputError, match="should hold data sets of numbers"):
        open_structures(tmp_path / "a.h5")
    (tmp_path / "b.h5").write_bytes(b"not HDF5")
    with pytest.raises(InputError, match="cannot be opened"):
        open_structures(tmp_path / "b.h5")


def test_the_extra_is_named_if_h5py_is_missing(tmp_path, monkeypatch):
    dream3d(tmp_path / "a.h5", LABELS)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[hdf5\]'"):
        open_structures(tmp_path / "a.h5")
