"""Strips, sections and differences show the voxels they are given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from matvae import Grid
from matvae.errors import InputError
from matvae.report import plot_difference, plot_sections, plot_strip


def drawn(axes):
    return axes.images[0].get_array()


def test_pictures_stand_side_by_side_with_a_gap():
    pictures = np.arange(24).reshape(2, 3, 4) % 2
    axes = Figure().subplots()
    assert plot_strip(axes, pictures, ["a", 7], phases=2) is axes
    image = drawn(axes)
    assert image.shape == (3, 9)
    np.testing.assert_array_equal(image[:, :4], pictures[0])
    np.testing.assert_array_equal(image[:, 5:], pictures[1])
    assert image.mask[:, 4].all()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "7"]
    assert list(axes.get_xticks()) == [1.5, 6.5]


def test_a_line_is_a_band_and_a_volume_its_middle_slice():
    line = np.array([[0.0, 1.0, 2.0, 3.0, 4.0]])
    np.testing.assert_array_equal(drawn(plot_strip(Figure().subplots(), line, ["a"])), line)
    volume = np.arange(24.0).reshape(1, 3, 2, 4)
    np.testing.assert_array_equal(drawn(plot_strip(Figure().subplots(), volume, ["a"])), volume[0, 1])


def test_values_have_one_scale():
    axes = plot_strip(Figure().subplots(), np.array([[[1.0]], [[3.0]]]), ["a", "b"])
    assert axes.images[0].get_clim() == (1.0, 3.0)
    axes = plot_strip(Figure().subplots(), np.array([[[1.0]]]), ["a"], limits=(0, 5))
    assert axes.images[0].get_clim() == (0, 5)


@pytest.mark.parametrize(("n", "names"), [(0, []), (2, ["a"])])
def test_pictures_without_names_are_refused(n, names):
    with pytest.raises(InputError, match=rf"there are {n} pictures and {len(names)} names"):
        plot_strip(Figure().subplots(), np.zeros((n, 2, 2)), names)


def test_sections_are_those_through_the_middle():
    volume = (np.arange(60).reshape(3, 4, 5) % 2).astype(np.uint8)
    grid = Grid((3, 4, 5), voxel_size=(1, 2, 3), unit="nanometer")
    axes = list(Figure().subplots(1, 3))
    assert plot_sections(axes, volume, grid=grid) is axes
    for across, one in enumerate(axes):
        np.testing.assert_array_equal(drawn(one), volume.take(volume.shape[across] // 2, axis=across))
    assert [(one.get_xlabel(), one.get_ylabel()) for one in axes] == [
        ("x / nm", "y / nm"),
        ("x / nm", "z / nm"),
        ("y / nm", "z / nm"),
    ]
    assert axes[2].images[0].get_extent() == [0, 8, 3, 0]


def test_sections_of_an_image_are_refused():
    with pytest.raises(InputError, match="A volume"):
        plot_sections(list(Figure().subplots(1, 3)), np.zeros((2, 2), dtype=np.uint8))


def test_a_difference_has_zero_in_the_middle_of_its_colours():
    f, g = np.array([[0.5, 0.25], [0.25, 0.5]]), np.array([[0.5, 0.5], [0.125, 0.5]])
    axes = Figure().subplots()
    assert plot_difference(axes, f, g) is axes
    np.testing.assert_allclose(drawn(axes), g - f)
    assert axes.images[0].get_clim() == (-0.25, 0.25)
    line = plot_difference(Figure().subplots(), f[0], g[0])
    np.testing.assert_allclose(line.lines[0].get_ydata(), [0, 0.25])
