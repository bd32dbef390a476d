"""Small pictures: averages over square pixels, of values from dark to bright."""

from __future__ import annotations

import numpy as np

from matvae import Grid
from matvae.data.sections import Section
from matvae.jobs.files.pictures import HEIGHT, small_picture


def pixels(image, distinct=None, columns=48, voxel_size=None):
    grid = Grid(image.shape, phases=1, voxel_size=voxel_size)
    return np.array(small_picture(Section(image, grid, None), distinct, columns)["pixels"], dtype=float)


def test_pixels_are_averages_of_the_voxels_in_them():
    image = np.zeros((8, 16), int)
    image[:4, :8] = 1
    image[4:, 8:12] = 1
    np.testing.assert_array_equal(pixels(image, (0, 1), columns=4), [[1, 1, 0, 0], [0, 0, 1, 0]])
    image[0, 0] = 0
    assert pixels(image, (0, 1), columns=4)[0, 0] == 0.938
    np.testing.assert_array_equal(pixels(image, (0, 1), columns=16), image)


def test_listed_values_are_equally_far_apart_and_missing_ones_have_none():
    np.testing.assert_array_equal(pixels(np.array([[0, 1, 255]] * 2), (0, 1, 255), 3), [[0, 0.5, 1]] * 2)
    np.testing.assert_array_equal(pixels(np.array([[0.0, np.nan, 1]] * 2), (0, 1, np.nan), 3)[0], [0, np.nan, 0.5])


def test_grey_levels_reach_from_dark_to_bright_whatever_a_few_voxels_hold():
    image = np.tile(np.linspace(100, 200, 400), (4, 1))
    image[0, 0] = 1e6
    shown = pixels(image, columns=400)
    assert (shown.min(), shown.max()) == (0, 1)
    assert np.abs(np.diff(shown[2])).max() < 0.01
    np.testing.assert_array_equal(pixels(np.full((2, 3), 7.0), columns=3), np.zeros((2, 3)))


def test_pixels_are_square_in_space_and_few():
    assert pixels(np.zeros((10, 20)), voxel_size=(4, 1)).shape == (40, 20)
    assert pixels(np.zeros((10, 20)), columns=20).shape == (10, 20)
    assert pixels(np.zeros((1000, 10))).shape[0] == HEIGHT
    assert pixels(np.zeros(30), columns=30).shape == (2, 30)
