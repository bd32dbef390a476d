"""Arrays in Python are opened as those in files are."""

from __future__ import annotations

import warnings

import dask.array as da
import numpy as np
import pytest

from matvae.data import open_structures
from matvae.errors import InputError
from matvae.grid import Grid


@pytest.mark.parametrize(
    "wrap", [np.asarray, lambda a: da.from_array(a, chunks=(2, 5, 6)), lambda a: list(a), np.ndarray.tolist]
)
def test_arrays_are_opened_as_files_are(wrap):
    values = np.random.default_rng(0).integers(0, 3, (4, 5, 6)).astype(np.uint8)
    opened = open_structures(wrap(values), axes="syx", voxel_size=0.5, unit="nm")
    np.testing.assert_array_equal(opened.data.compute(), values)
    assert opened.grid == Grid((5, 6), phases=3, voxel_size=0.5, unit="nm", periodic=False)
    volume = open_structures(wrap(values * 100), axes="zyx", phase_values="auto")
    np.testing.assert_array_equal(volume.data.compute(), values[None])


def test_a_list_of_images_needs_no_word_for_its_samples():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(open_structures([np.eye(4, dtype=np.uint8)] * 3)) == 3


def test_xarray_states_its_axes():
    xarray = pytest.importorskip("xarray")
    values = np.random.default_rng(0).integers(0, 2, (4, 5, 6)).astype(np.uint8)
    volume = open_structures(xarray.DataArray(values, dims=("x", "y", "z")))
    np.testing.assert_array_equal(volume.data.compute(), values.T[None])
    images = open_structures(xarray.DataArray(values, dims=("y", "x", "sample")))
    np.testing.assert_array_equal(images.data.compute(), np.moveaxis(values, -1, 0))


def test_coordinates_of_xarray_are_the_centres_of_voxels():
    xarray = pytest.importorskip("xarray")
    values = np.zeros((4, 5), np.uint8)
    coordinates = {
        "y": ("y", 10 + 2.0 * np.arange(4), {"units": "nm"}),
        "x": ("x", 0.5 * np.arange(5), {"units": "nm"}),
    }
    grid = open_structures(xarray.DataArray(values, dims=("y", "x"), coords=coordinates)).grid
    assert (grid.voxel_size, grid.unit, grid.origin) == ((2, 0.5), "nm", (9, -0.25))
    uneven = {**coordinates, "x": ("x", np.arange(5.0) ** 2)}
    assert open_structures(xarray.DataArray(values, dims=("y", "x"), coords=uneven)).grid.voxel_size is None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([np.zeros((4, 5)), np.zeros((4, 6))], r"one size, but their shapes are \(4, 5\), \(4, 6\)"),
        ([[0, 1], [0]], "the lists given differ"),
        (np.array([np.zeros((4, 5)), None], dtype=object), "values given are object"),
        (None, "values given are object"),
        (da.from_array(np.arange(9), chunks=3)[da.from_array(np.arange(9), chunks=3) > 2], "known shape"),
    ],
)
def test_things_that_are_no_array_of_numbers_are_refused(source, message):
    with pytest.raises(InputError, match=message):
        open_structures(source)
