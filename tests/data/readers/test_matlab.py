from __future__ import annotations

import sys

import h5py
import numpy as np
import pytest
import scipy.io

from matvae.data import open_structures
from matvae.data.readers import matlab
from matvae.errors import InputError, MissingExtraError
from matvae.testing import Example, reader_checks
from matvae.testing.reader import CHECKS

# A(i, j, k) of MATLAB is VOLUME[i - 1, j - 1, k - 1].
VOLUME = np.random.default_rng(0).integers(0, 3, (7, 24, 33)).astype(np.uint8)
LARGE = np.random.default_rng(1).integers(0, 200, (40, 200, 150)).astype(np.uint16)


def write_v73(path, **arrays):
    """Write variables as MATLAB 7.3 does: the axes reversed, the class in an attribute, a text of 512 bytes before."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in arrays.items():
            kind = {"bool": "logical", "float64": "double", "float32": "single"}.get(
                values.dtype.name, values.dtype.name
            )
            stored = values.view(np.uint8) if kind == "logical" else values
            chunks = (1, *values.shape[::-1][1:])
            dataset = file.create_dataset(name, data=stored.transpose(), chunks=chunks, compression="gzip")
            dataset.attrs["MATLAB_class"] = np.bytes_(kind)
        text = file.create_dataset("note", data=np.frombuffer(b"t\0e\0x\0t\0", np.uint16)[:, None])
        text.attrs["MATLAB_class"] = np.bytes_("char")
        empty = file.create_dataset("nothing", data=np.array([0, 0], np.uint64))
        empty.attrs["MATLAB_class"], empty.attrs["MATLAB_empty"] = np.bytes_("double"), np.uint8(1)
        file["single_number"] = np.array([[2.5]])
        file["single_number"].attrs["MATLAB_class"] = np.bytes_("double")
        file["#refs#/b"] = np.zeros((4, 5))
        file["#refs#/b"].attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + b" " * 8 + b"\x00\x02IM")


def version_5_example(folder):
    others = {"voxel": 2.5, "note": "text", "part": {"inner": VOLUME}}
    scipy.io.savemat(folder / "a.mat", {"A": VOLUME, **others}, do_compression=True)
    return Example(folder / "a.mat", VOLUME, spatial_dims=3)


def version_73_example(folder):
    write_v73(folder / "a.mat", A=LARGE, B=LARGE[0])
    return Example(folder / "a.mat", LARGE, name="A", spatial_dims=3)


def version_73_image_example(folder):
    write_v73(folder / "a.mat", image=VOLUME[:, :, 0])
    return Example(folder / "a.mat", VOLUME[:, :, 0])


@pytest.mark.parametrize("write", [version_5_example, version_73_example, version_73_image_example])
@pytest.mark.parametrize("number", range(len(CHECKS)), ids=[check.__name__ for check in CHECKS])
def test_the_reader_conforms(number, write, tmp_path):
    reader_checks("matlab", write(tmp_path))[number]()


@pytest.mark.parametrize("write", [version_5_example, version_73_example])
def test_indices_of_a_volume_are_those_of_matlab(write, tmp_path):
    example = write(tmp_path)
    values = np.unique(example.array).tolist()
    with pytest.warns(UserWarning, match=r"axes='zyx' or axes='yxz' or axes='yxs'"):
        opened = open_structures(example.path, name="A", phase_values=values)
    assert opened.attributes["axes"] == "zyx, a guess from MATLAB's order of indices"
    assert len(opened) == 1
    assert opened.grid.shape == example.array.shape
    np.testing.assert_array_equal(opened.data[0].compute(), example.array)


def test_a_stack_of_matlab_images_is_opened_by_its_axes(tmp_path):
    opened = open_structures(version_5_example(tmp_path).path, axes="yxs")
    assert len(opened) == 33
    np.testing.assert_array_equal(opened.data[5].compute(), VOLUME[:, :, 5])


@pytest.mark.parametrize("dtype", [bool, np.float64, np.float32, np.int32, np.uint64])
@pytest.mark.parametrize("version", ["5", "7.3"])
def test_arrays_have_the_class_that_matlab_shows(dtype, version, tmp_path):
    values = (VOLUME > 0).astype(dtype)
    if version == "5":
        scipy.io.savemat(tmp_path / "a.mat", {"A": values})
    else:
        write_v73(tmp_path / "a.mat", A=values)
    array = matlab.reader.open(tmp_path / "a.mat", None).array
    assert array.dtype == dtype
    np.testing.assert_array_equal(array[...], values)


def test_whole_numbers_that_matlab_stored_in_fewer_bytes_are_doubles(tmp_path):
    zeros = np.zeros((300, 400, 50))
    scipy.io.savemat(tmp_path / "a.mat", {"A": zeros}, do_compression=True)
    array = matlab.reader.open(tmp_path / "a.mat", None).array
    assert array.dtype == np.float64
    np.testing.assert_array_equal(array[7], zeros[7])


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_several_arrays_are_listed_without_texts_and_single_numbers(version, tmp_path):
    if version == "5":
        scipy.io.savemat(tmp_path / "a.mat", {"A": VOLUME, "B": VOLUME, "n": 2.0, "note": "text", "cells": [1, "a"]})
    else:
        write_v73(tmp_path / "a.mat", A=VOLUME, B=VOLUME)
    with pytest.raises(InputError, match=r"several MATLAB arrays: 'A', 'B'\. Choose"):
        open_structures(tmp_path / "a.mat")


def test_complex_numbers_are_refused(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"A": VOLUME * 1j})
    with pytest.raises(InputError, match="should hold real numbers, but they are complex"):
        matlab.reader.open(tmp_path / "a.mat", None).array[...]
    with h5py.File(tmp_path / "b.mat", "w", userblock_size=512) as file:
        file["A"] = np.zeros((3, 4), [("real", "f8"), ("imag", "f8")])
        file["A"].attrs["MATLAB_class"] = np.bytes_("double")
    with (tmp_path / "b.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    with pytest.raises(InputError, match="should hold real numbers, but they are complex"):
        open_structures(tmp_path / "b.mat")


def test_headers_that_declare_more_than_the_file_holds_are_refused(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"A": VOLUME})
    content = (tmp_path / "a.mat").read_bytes()
    lengths = np.array(VOLUME.shape, "<i4").tobytes()
    assert content.count(lengths) == 1
    huge = np.array([2**20, 2**20, 2**5], "<i4").tobytes()
    (tmp_path / "a.mat").write_bytes(content.replace(lengths, huge))
    with pytest.raises(InputError, match=f"declares {2**45} bytes"):
        open_structures(tmp_path / "a.mat")
    write_v73(tmp_path / "b.mat")
    with h5py.File(tmp_path / "b.mat", "r+") as file:
        file.create_dataset("A", (10**5, 10**5, 10**5), np.uint8, chunks=(1, 100, 100))
        file["A"].attrs["MATLAB_class"] = np.bytes_("uint8")
    with pytest.raises(InputError, match=r"declares an array of shape \(100000, 100000, 100000\), but holds none"):
        open_structures(tmp_path / "b.mat")


def test_hdf5_files_that_matlab_did_not_write_have_no_matlab_arrays(tmp_path):
    write_v73(tmp_path / "a.mat")
    with pytest.raises(InputError, match="should hold MATLAB arrays of numbers, but has none"):
        open_structures(tmp_path / "a.mat")


def test_the_extra_is_named_if_h5py_is_missing(tmp_path, monkeypatch):
    example = version_73_example(tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[hdf5\]'"):
        open_structures(example.path)
