"""What people pass for structures: which axis is what, and what is known of it."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import torch
import xarray

from matvae import Grid, Structures, save_structures
from matvae.errors import InputError
from matvae.given import given, looks_like_colours, opened, refuse_one_dimension, warn_of_axes

# No two axes are equally long.
X = np.random.default_rng(0).integers(0, 3, (5, 6, 7)).astype(np.uint8)


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, da.from_array])
@pytest.mark.parametrize(
    ("shape", "options", "expected", "axis"),
    [
        ((6, 7), {"spatial_dims": 2}, (1, 6, 7), None),
        ((5, 6, 7), {"spatial_dims": 2}, (5, 6, 7), None),
        ((5, 6, 7), {"spatial_dims": 3}, (1, 5, 6, 7), None),
        ((7,), {"spatial_dims": 1}, (1, 7), None),
        ((6, 7, 2), {"spatial_dims": 2, "state_axis": -1}, (1, 6, 7, 2), -1),
        ((2, 6, 7), {"spatial_dims": 2, "state_axis": 0}, (1, 2, 6, 7), 1),
        ((5, 2, 6, 7), {"spatial_dims": 2, "state_axis": 1}, (5, 2, 6, 7), 1),
        ((5, 6, 7), {}, (5, 6, 7), None),
    ],
)
def test_the_stated_number_of_axes_tells_whether_there_is_one_of_samples(kind, shape, options, expected, axis):
    structures = given(kind(np.zeros(shape)), **options)
    assert tuple(structures.array.shape) == expected
    assert structures.state_axis == axis
    assert structures.spatial_dims == options.get("spatial_dims")


@pytest.mark.parametrize("shape", [(7,), (4, 5, 6, 7)])
def test_another_number_of_axes_than_stated_is_refused(shape):
    with pytest.raises(InputError, match=r"spatial_dims=2 means an array of 2 axes, or 3 with that of the samples"):
        given(np.zeros(shape), spatial_dims=2)
    with pytest.raises(InputError, match="spatial_dims must be an integer from 1 to 3"):
        given(np.zeros(shape), spatial_dims=4)


def test_structures_bring_their_grid_and_the_values_of_their_phases():
    grid = Grid((6, 7), phases=4, voxel_size=(2.0, 0.5), unit="micrometer", periodic=False)
    structures = given(Structures(X, grid, attributes={"phase_values": [0, 7, 9, 12]}))
    assert structures.spatial_dims == 2
    assert structures.known["phases"] == 4
    assert structures.known["voxel_size"] == (2.0, 0.5)
    assert structures.known["periodic"] is False
    assert structures.phase_values == [0, 7, 9, 12]
    with pytest.raises(InputError, match="2 spatial axes"):
        given(Structures(X, grid), spatial_dims=3)


def test_paths_and_lists_of_paths_are_opened(tmp_path):
    for name, part in (("a.zarr", X[:2]), ("b.zarr", X[2:])):
        save_structures(tmp_path / name, Structures(part, Grid((6, 7), phases=3, voxel_size=2.0)))
    one = given(str(tmp_path / "a.zarr"))
    np.testing.assert_array_equal(one.array.compute(), X[:2])
    assert one.known["voxel_size"] == (2.0, 2.0)
    both = opened([tmp_path / "a.zarr", tmp_path / "b.zarr"])
    np.testing.assert_array_equal(both.data.compute(), X)
    with pytest.raises(InputError, match="There is no file"):
        opened("missing.zarr")
    assert opened([]) == []


def test_the_axes_of_a_data_array_go_by_name():
    """The axis of the samples comes first wherever it is, and space stays in the order of the array."""
    for dims, values in (
        (("sample", "y", "x"), X),
        (("y", "sample", "x"), X.transpose(1, 0, 2)),
        (("y", "x", "sample"), X.transpose(1, 2, 0)),
    ):
        structures = given(xarray.DataArray(values, dims=dims))
        np.testing.assert_array_equal(structures.array, X)
        assert (structures.spatial_dims, structures.known["axes"]) == (2, ("y", "x"))
    volume = given(xarray.DataArray(X, dims=("z", "y", "x")))
    np.testing.assert_array_equal(volume.array, X[None])
    assert volume.spatial_dims == 3
    image = given(xarray.DataArray(X[0], dims=("y", "x")))
    np.testing.assert_array_equal(image.array, X[:1])
    states = given(xarray.DataArray(np.zeros((6, 7, 2)), dims=("y", "x", "phase")), state_axis=2)
    assert (states.array.shape, states.state_axis, states.spatial_dims) == ((1, 6, 7, 2), 3, 2)
    unnamed = given(xarray.DataArray(X))
    assert (unnamed.array.shape, unnamed.spatial_dims) == (X.shape, None)
    with pytest.raises(InputError, match="spatial axes y, x, but spatial_dims=3"):
        given(xarray.DataArray(X[0], dims=("y", "x")), spatial_dims=3)


def test_coordinates_with_units_are_the_voxel_size():
    def array(units, x):
        coordinates = {"y": ("y", np.arange(6) * 2.0, {"units": "um"}), "x": ("x", x, units)}
        return xarray.DataArray(X, dims=("sample", "y", "x"), coords=coordinates)

    even = np.arange(7) * 0.5
    known = given(array({"units": "um"}, even)).known
    assert (known["voxel_size"], known["unit"]) == ((2.0, 0.5), "um")
    for other in (array({}, even), array({"units": "mm"}, even), array({"units": "um"}, np.arange(7.0) ** 2)):
        assert set(given(other).known) == {"axes"}


def test_a_lone_image_is_refused_with_what_to_pass():
    with pytest.raises(InputError, match=r"\(60, 90\).*one image without a sample axis.*X\[None\]; .* pass MINE"):
        refuse_one_dimension((60, 90), None, one_dimensional="MINE")
    with pytest.raises(InputError, match=r"state_axis=-1 with the states last"):
        refuse_one_dimension((60, 90, 2), 2, one_dimensional="MINE")
    refuse_one_dimension((5, 60, 90), None, one_dimensional="MINE")


def test_equal_sides_and_colours_give_a_warning(recwarn):
    with pytest.warns(UserWarning, match=r"20 images of 20 x 20 voxels.*For one volume pass X\[None\].* pass MINE"):
        warn_of_axes((20, 20, 20), None, two_dimensional="MINE")
    with pytest.warns(UserWarning, match=r"last axis .* of shape \(24, 32, 3\).*such as CUT X\[None, \.\.\., 0\], or"):
        warn_of_axes((24, 32, 3), None, two_dimensional="MINE", one_structure="CUT {}")
    with pytest.warns(UserWarning, match=r"last axis .* of shape \(9, 24, 32, 3\).*such as X\[\.\.\., 0\], or"):
        warn_of_axes((9, 24, 32, 3), None, two_dimensional="MINE", one_structure="CUT {}")
    recwarn.clear()
    warn_of_axes((20, 20, 21), None, two_dimensional="MINE")
    warn_of_axes((20, 20, 20, 20), None, two_dimensional="MINE")
    warn_of_axes((9, 24, 32, 3), 3, two_dimensional="MINE")
    assert not recwarn.list
    assert looks_like_colours((24, 32, 4))
    assert not looks_like_colours((24, 32, 5))
    assert not looks_like_colours((24, 3))
