"""Statistics of everything that structures come as: their own boundaries, voxel size and number of axes."""

from __future__ import annotations

import inspect
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import torch
import xarray

from matvae import Grid, Structures, open_structures, save_structures, two_point_stats, volume_fractions
from matvae.errors import InputError
from matvae.stats import (
    STATISTICS,
    Statistic,
    chord_length_distribution,
    cluster_function,
    form_of,
    get_statistic,
    lineal_path,
    map_phases,
    pair_correlation,
    surface_area,
)

FUNCTIONS = [
    two_point_stats,
    volume_fractions,
    surface_area,
    lineal_path,
    chord_length_distribution,
    cluster_function,
    pair_correlation,
]
X = (np.random.default_rng(0).random((5, 24, 32)) < 0.3).astype(np.uint8)


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """Half of an image, with one interface: the second one is that of a periodic structure."""
    image = (np.arange(64)[None] > 31).astype(np.uint8).repeat(48, 0)
    np.save(tmp_path / "half.npy", image)
    return tmp_path / "half.npy"


def test_structures_have_their_own_boundaries(half: Path) -> None:
    structures = open_structures(half)
    assert not structures.grid.periodic
    for given in (structures, half, str(half), [half]):
        area = np.asarray(surface_area(given, isotropic=False))
        # One interface between 63 pairs of columns, in each of 48 rows.
        np.testing.assert_allclose(area, [[1 / 63, 1 / 63]], rtol=1e-6)
        np.testing.assert_allclose(np.asarray(surface_area(given, isotropic=False, periodic=True)), 2 / 64)
    assert np.asarray(two_point_stats(structures, cutoff=3)).shape == (1, 7, 7, 1)
    assert np.asarray(two_point_stats(structures)).shape == (1, 95, 127, 1)


def test_structures_have_their_own_phases_and_voxel_size() -> None:
    structures = Structures(X, Grid((24, 32), phases=4, voxel_size=(2.0, 0.5), unit="micrometer"))
    fractions = volume_fractions(structures)
    assert isinstance(fractions, da.Array)
    assert fractions.shape == (5, 4)
    expected = surface_area(X, phases=4, voxel_size=(2.0, 0.5))
    np.testing.assert_array_equal(surface_area(structures).compute(), expected)
    np.testing.assert_array_equal(surface_area(structures, voxel_size=1.0).compute(), surface_area(X, phases=4))
    field = Structures(np.random.default_rng(0).random((3, 6, 7)), Grid((6, 7), phases=1))
    assert two_point_stats(field).shape == (3, 6, 7, 1)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_structures_and_arrays_have_the_same_statistics(function) -> None:
    structures = Structures(X, Grid((24, 32), periodic=False))
    options = {} if function is volume_fractions else {"periodic": False}
    np.testing.assert_array_equal(np.asarray(function(structures)), function(X, phases=2, **options))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, da.from_array])
def test_a_lone_image_is_refused_unless_its_axes_are_stated(function, kind) -> None:
    image = kind(X[0])
    with pytest.raises(InputError, match=r"one image pass X\[None\]; for structures in one dimension pass spatial"):
        function(image)
    # Both pieces of advice work.
    as_image, as_lines = np.asarray(function(image[None])), np.asarray(function(image, spatial_dims=1))
    assert (len(as_image), len(as_lines)) == (1, 24)
    np.testing.assert_array_equal(np.asarray(function(image, spatial_dims=2)), as_image)
    np.testing.assert_array_equal(as_lines[3:4], np.asarray(function(kind(X[0, 3]), spatial_dims=1)))


def test_zero_lag_of_a_lone_image_is_its_volume_fraction() -> None:
    f = two_point_stats(X[0], spatial_dims=2)
    assert f.shape == (1, 24, 32, 1)
    assert f[0, 12, 16, 0] == pytest.approx(X[0].mean())


def test_a_likely_volume_gives_a_warning_that_says_how_to_settle_it(recwarn) -> None:
    cube = (np.random.default_rng(0).random((20, 20, 20)) < 0.3).astype(np.uint8)
    with pytest.warns(UserWarning, match=r"20 images of 20 x 20 voxels.*pass X\[None\].*spatial_dims=2") as caught:
        assert two_point_stats(cube).shape == (20, 20, 20, 1)
    assert caught[0].filename == __file__
    recwarn.clear()
    assert two_point_stats(cube[None]).shape == (1, 20, 20, 20, 1)
    assert two_point_stats(cube, spatial_dims=3).shape == (1, 20, 20, 20, 1)
    assert two_point_stats(cube, spatial_dims=2).shape == (20, 20, 20, 1)
    assert two_point_stats(X).shape == (5, 24, 32, 1)
    assert not recwarn.list


def test_local_states_of_a_lone_image_are_refused_or_stated() -> None:
    states = np.stack([X[0] == 0, X[0] == 1], -1).astype(float)
    with pytest.raises(InputError, match=r"X\[None\] and state_axis=-1"):
        two_point_stats(states, state_axis=-1)
    expected = two_point_stats(X[:1]).astype(float)
    for axis in (-1, 2):
        f = two_point_stats(states, state_axis=axis, spatial_dims=2)
        np.testing.assert_allclose(f, expected, atol=1e-6)


ONE_HOT = np.stack([X == 0, X == 1], -1)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("dtype", [float, np.float32, bool, np.uint8, np.int64])
@pytest.mark.parametrize("axis", [-1, 1])
def test_one_hot_arrays_of_every_type_are_refused(function, dtype, axis) -> None:
    states = np.moveaxis(ONE_HOT, -1, axis).astype(dtype)
    with pytest.raises(InputError, match=f"sum to one everywhere, as 2 local states do. Pass state_axis={axis}, or ph"):
        function(states)
    np.testing.assert_allclose(function(states, state_axis=axis), function(X), atol=1e-6)


def test_volumes_of_two_layers_are_not_mistaken_for_states() -> None:
    layers = (np.random.default_rng(0).random((5, 24, 32, 2)) < 0.3).astype(np.uint8)
    assert two_point_stats(layers).shape == (5, 24, 32, 2, 1)
    assert two_point_stats(ONE_HOT.astype(np.uint8), phases=2).shape == (5, 24, 32, 2, 1)
    # A line of one voxel in each row of a small image sums to one, too.
    line = np.zeros((3, 8, 8), np.uint8)
    line[:, :, 2] = 1
    assert two_point_stats(line).shape == (3, 8, 8, 1)


def test_colours_are_refused_or_give_a_hint() -> None:
    colours = np.stack([X[0] * 255] * 3, -1)
    with (
        pytest.warns(UserWarning, match="as long as that of colours"),
        pytest.raises(InputError, match=r"holds 0, 255.*RGB\(A\) images, pass one channel: X\[None, \.\.\., 0\]"),
    ):
        two_point_stats(colours)
    # As advised, one after the other.
    channel = np.searchsorted([0, 255], colours[None, ..., 0])
    np.testing.assert_array_equal(two_point_stats(channel), two_point_stats(X[:1]))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, da.from_array])
def test_labels_with_gaps_are_refused_unless_the_number_of_phases_is_stated(function, kind) -> None:
    with pytest.raises(InputError, match=r"labels 0 to H-1, but holds 0, 4\. Relabel it with.*phases=5 if"):
        function(kind(X * 4))
    relabelled = kind(np.searchsorted([0, 4], X * 4).astype(np.uint8))
    np.testing.assert_array_equal(np.asarray(function(relabelled)), np.asarray(function(X)))
    assert function(kind(X * 4), phases=5).shape[0] == 5


def test_floats_of_zero_and_one_give_a_note(recwarn) -> None:
    with pytest.warns(UserWarning, match=r"All values are 0 or 1.*X.astype\('uint8'\)"):
        two_point_stats(X.astype(float))
    recwarn.clear()
    two_point_stats(X.astype(float), phases=1)
    two_point_stats(np.random.default_rng(0).random((5, 6, 7)))
    two_point_stats(np.ones((3, 6, 7)))
    half = X.astype(float)
    half[-1, -1, -1] = 0.5
    two_point_stats(half)
    assert not recwarn.list


def test_a_data_array_goes_by_its_names() -> None:
    f = two_point_stats(X)
    np.testing.assert_array_equal(two_point_stats(xarray.DataArray(X, dims=("sample", "y", "x"))), f)
    moved = xarray.DataArray(X.transpose(1, 2, 0), dims=("y", "x", "sample"))
    np.testing.assert_array_equal(two_point_stats(moved), f)
    np.testing.assert_array_equal(two_point_stats(xarray.DataArray(X[2], dims=("y", "x"))), f[2:3])
    volume = two_point_stats(xarray.DataArray(X, dims=("z", "y", "x")))
    assert volume.shape == (1, 5, 24, 32, 1)


def test_the_signature_names_the_number_of_axes() -> None:
    for function in FUNCTIONS:
        assert list(inspect.signature(function).parameters)[-1] == "spatial_dims"
    assert "spatial_dims" in get_statistic("two_point").options


@pytest.mark.parametrize("name", STATISTICS.builtin)
def test_statistics_by_name_take_structures(name: str) -> None:
    structures = Structures(X, Grid((24, 32), periodic=False))
    result = get_statistic(name)(structures)
    np.testing.assert_array_equal(result.compute(), get_statistic(name)(X, phases=2, periodic=False))


def test_a_statistic_of_arrays_takes_structures_as_well() -> None:
    def fraction(X, *, state_axis=None, phases="auto", periodic=True, **more):
        assert not periodic
        return map_phases(X, form_of(X, phases, state_axis), phases, lambda field, _: field.flatten(1).mean(1), ())

    statistic = Statistic("fraction", fraction, lambda shape, axes, **options: {})
    assert statistic.options == ("state_axis", "phases", "periodic", "spatial_dims", "more")
    structures = Structures(X, Grid((24, 32), phases=3, periodic=False))
    np.testing.assert_array_equal(statistic(structures).compute(), volume_fractions(X, phases=3))


def test_the_mask_of_structures_is_used_or_refused(tmp_path):
    rng = np.random.default_rng(0)
    labels, inside = rng.integers(0, 2, (3, 9, 11)).astype(np.uint8), rng.random((3, 9, 11)) < 0.8
    masked = Structures(labels, Grid((9, 11), periodic=False), mask=inside)
    options = {"phases": 2, "spatial_dims": 2, "mask": inside}
    expected = two_point_stats(labels, periodic=False, cutoff=3, **options)
    np.testing.assert_allclose(two_point_stats(masked, cutoff=3).compute(), expected, rtol=1e-6)
    assert not np.allclose(two_point_stats(labels, periodic=False, cutoff=3, phases=2, spatial_dims=2), expected)
    save_structures(tmp_path / "x.zarr", masked)
    fractions = volume_fractions(tmp_path / "x.zarr").compute()
    np.testing.assert_allclose(fractions[:, 1], [x[m].mean() for x, m in zip(labels, inside, strict=True)], rtol=1e-6)
    with pytest.raises(InputError, match="a mask of their own"):
        two_point_stats(masked, cutoff=3, mask=inside)
    with pytest.raises(InputError, match=r"cannot leave out.*min_valid=1"):
        cluster_function(masked)


def test_lists_of_arrays_are_stacked_as_by_fit() -> None:
    expected = two_point_stats(X)
    for given in (list(X), tuple(X), X.tolist()):
        np.testing.assert_array_equal(two_point_stats(given), expected)


def test_lists_of_arrays_of_different_shapes_are_refused_with_their_shapes() -> None:
    with pytest.raises(InputError, match=r"\(24, 30\), \(24, 32\).*windows of one size"):
        two_point_stats([X[0], X[1, :, :30]])
    with pytest.raises(InputError, match="the parts of the list differ"):
        two_point_stats([[[0, 1], [1, 0]], [[0, 1, 1], [1, 0, 0]]])
