"""Axes: by the words of a file, by options, and by neither; on arrays whose axes all differ in length."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from matvae.data import open_structures
from matvae.data.axes import AxesError, arrange
from matvae.data.lazy_array import LazyArray, choose_chunks
from matvae.data.readers import Source
from matvae.errors import InputError

VALUES = np.random.default_rng(0).integers(0, 50, (10, 24, 32)).astype(np.uint8)


def source(array, **words):
    chunks = choose_chunks(array.shape, array.dtype)
    return Source(LazyArray("file", array.shape, array.dtype, chunks, lambda box: array[box]), **words)


@pytest.mark.parametrize(
    ("stated", "axes", "spatial_dims", "expected", "taken"),
    [
        # By the words of the file.
        ("zyx", None, None, VALUES[None], "zyx, as the file states"),
        ("tyx", None, None, VALUES, "tyx, as the file states"),
        ("xyz", None, None, VALUES.T[None], "xyz, as the file states"),
        # By options, which overrule them.
        ("zyx", None, 2, VALUES, "syx, for 2 spatial axes"),
        ("tyx", None, 3, VALUES[None], "zyx, for 3 spatial axes"),
        ("cyx", None, 3, VALUES[None], "zyx, for 3 spatial axes"),
        ("qyx", None, 3, VALUES[None], "zyx, for 3 spatial axes"),
        ("cyx", "zyx", None, VALUES[None], "zyx, as given"),
        ("zyx", "syx", None, VALUES, "syx, as given"),
        ("zyx", "xyz", None, VALUES.T[None], "xyz, as given"),
        (None, "yxs", None, np.moveaxis(VALUES, -1, 0), "yxs, as given"),
        (None, "xsy", 2, VALUES.transpose(1, 2, 0), "xsy, as given"),
        (None, None, 3, VALUES[None], "zyx, for 3 spatial axes"),
        (None, None, 2, VALUES, "syx, for 2 spatial axes"),
    ],
)
def test_axes_come_from_options_else_from_the_file(stated, axes, spatial_dims, expected, taken):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        arranged = arrange(source(VALUES, axes=stated), axes, spatial_dims)
    np.testing.assert_array_equal(arranged.array[:], expected)
    assert arranged.array.shape == expected.shape
    assert arranged.taken == taken


def test_boxes_of_transposed_arrays_are_those_of_the_array():
    array = arrange(source(VALUES), "xsy").array
    box = (slice(3, 20), slice(1, 7), slice(5, 9))
    np.testing.assert_array_equal(array[box], VALUES.transpose(1, 2, 0)[box])
    assert tuple(map(sum, array.chunks)) == (24, 32, 10)


@pytest.mark.parametrize("stated", [None, "qyx"])
def test_a_guess_is_said_with_the_options_that_settle_it(stated):
    with pytest.warns(UserWarning, match=r"stack of 10 images.*axes='syx' or axes='zyx' .*--axes syx or zyx"):
        arranged = arrange(source(VALUES, axes=stated))
    assert arranged.taken == "syx, a guess"
    np.testing.assert_array_equal(arranged.array[:], VALUES)


def test_axes_of_length_one_are_dropped_unless_they_are_asked_for():
    layer = source(VALUES[None, :1, None], axes="tzcyx")
    assert arrange(layer).array.shape == (1, 24, 32)
    assert arrange(layer, spatial_dims=3).array.shape == (1, 1, 24, 32)
    assert arrange(layer, spatial_dims=2).array.shape == (1, 24, 32)
    assert arrange(source(VALUES[:, None]), "zyx").array.shape == (1, 10, 24, 32)
    assert arrange(source(VALUES[..., None]), "zyx").array.shape == (1, 10, 24, 32)


@pytest.mark.parametrize(
    ("shape", "words", "options", "message"),
    [
        ((24, 32, 3), {"axes": "yxc"}, {}, r"3 channels or colours that differ \(axes yxc.*axes='yxz' or axes='yxs'"),
        ((24, 32, 3), {"axes": "yxc"}, {"spatial_dims": 3}, "3 channels or colours"),
        ((10, 24, 32), {"axes": "cyx"}, {}, r"10 channels.*--axes zyx or syx"),
        ((10, 24, 32), {}, {"axes": "cyx"}, "10 channels"),
        ((24, 32, 3), {}, {}, r"looks like that of colours .*axes='syx' or axes='zyx'"),
        ((24, 32, 4), {}, {"spatial_dims": 2}, "looks like that of colours"),
        ((5, 24, 32, 3), {}, {}, "looks like that of colours .*axes='szyx'"),
        ((10, 24, 32), {}, {"axes": "zzx"}, "name each axis by a different letter"),
        ((10, 24, 32), {}, {"axes": "st"}, "at least one of z, y and x"),
        ((10, 24, 32), {}, {"axes": "abx"}, "name each axis"),
        ((10, 24, 32), {}, {"axes": "yx"}, r"names 2 axes, but file has the shape \(10, 24, 32\)"),
        ((10, 24, 32), {}, {"axes": "syx", "spatial_dims": 3}, "names 2 spatial axes, .* for 3"),
        ((2, 10, 24, 32), {"axes": "tzyx"}, {"spatial_dims": 2}, "2 or 3 axes"),
        ((2, 10, 24, 32), {"axes": "tqyx"}, {}, "1 to 4 axes"),
        ((2, 10, 24, 32), {}, {"axes": "styx"}, "1 to 4 axes"),
    ],
)
def test_colours_and_letters_that_do_not_fit_are_refused(shape, words, options, message):
    with pytest.raises(InputError, match=message):
        arrange(source(np.indices(shape).sum(0).astype(np.uint8), **words), **options)


@pytest.mark.parametrize(("stated", "axes"), [("syxc", None), ("scyx", None), (None, "syxc"), (None, "xscy")])
def test_one_of_equal_channels_is_taken_wherever_their_axis_is(stated, axes):
    letters = stated or axes
    order = ["syx".index(letter) for letter in letters if letter != "c"]
    array = np.stack([VALUES.transpose(order)] * 3, axis=letters.index("c"))
    found = arrange(source(array, axes=stated), axes)
    np.testing.assert_array_equal(found.array[:], VALUES)
    np.testing.assert_array_equal(found.array[2:5, ::3, 7], VALUES[2:5, ::3, 7])
    assert found.channels == "its 3 channels are equal: one channel is taken"
    assert found.taken.startswith("".join(letter for letter in letters if letter != "c"))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float64])
@pytest.mark.parametrize(("axis", "shape"), [(-1, (24, 32)), (0, (24, 32)), (-1, (5, 24, 32)), (1, (5, 24, 32))])
def test_one_hot_arrays_are_refused(dtype, axis, shape):
    labels = np.random.default_rng(0).integers(0, 2, shape)
    one_hot = np.stack([labels == 0, labels == 1], axis).astype(dtype)
    with pytest.raises(InputError, match=r"looks like that of 2 local states \(one-hot\).*array\.argmax\(axis="):
        arrange(source(one_hot))
    letters = "zyx" if one_hot.ndim == 3 else "szyx"
    assert arrange(source(one_hot), letters).array.shape[-3:] == one_hot.shape[-3:]
    # Two images that do not complement each other are no local states.
    one_hot[..., 0, 0] = 1
    one_hot[0, 0, ...] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert arrange(source(one_hot)).array.shape[0] == one_hot.shape[0]


def test_voxel_sizes_and_origins_follow_their_axes():
    words = {"voxel_size": (4.0, 2.0, 1.0), "origin": (40.0, 20.0, 10.0)}
    for axes, expected in (("zyx", (4, 2, 1)), ("xyz", (1, 2, 4)), ("xzy", (2, 1, 4))):
        arranged = arrange(source(VALUES, axes=axes, **words))
        assert arranged.voxel_size == expected
        assert arranged.origin == tuple(10 * length for length in expected)
        assert arranged.axes == ("z", "y", "x")
    assert arrange(source(VALUES, axes="zyx", **words), "syx").voxel_size == (2, 1)
    # The names of axes are overruled, not their lengths.
    assert arrange(source(VALUES, axes="zyx", **words), "xyz").voxel_size == (1, 2, 4)
    # ImageJ states the distance of slices even where it calls them channels.
    assert arrange(source(VALUES, axes="cyx", **words), "zyx").voxel_size == (4, 2, 1)
    assert arrange(source(VALUES, spatial_dims=3, **words)).voxel_size == (4, 2, 1)


def test_an_unknown_distance_of_slices_is_said():
    images = source(VALUES, axes="qyx", voxel_size=(2.0, 1.0))
    with pytest.warns(UserWarning, match="voxel size along y and x, but not along z.*--voxel-size"):
        assert arrange(images, spatial_dims=3).voxel_size is None
    assert arrange(images, "syx").voxel_size == (2, 1)


def test_what_was_taken_is_recorded(tmp_path):
    np.save(tmp_path / "a.npy", VALUES % 2)
    assert open_structures(tmp_path / "a.npy", axes="xyz").attributes["axes"] == "xyz, as given"


def test_advice_for_channels_can_be_followed_where_an_axis_has_no_name():
    pages = source(np.indices((1, 3, 9, 8)).sum(0).astype(np.uint8), axes="qcyx")
    with pytest.raises(AxesError, match="axes='szyx' or axes='tsyx'") as refused:
        arrange(pages)
    assert refused.value.meanings == ("szyx", "tsyx")
    shapes = [arrange(pages, letters).array.shape for letters in refused.value.meanings]
    assert shapes == [(1, 3, 9, 8), (3, 9, 8)]
