"""Plots of structures show the given voxels, with lengths in the unit of the grid."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from matvae import Grid
from matvae.errors import InputError
from matvae.report import plot_sections, plot_strip, plot_structure


@pytest.fixture
def axes():
    return Figure().subplots()


def image(axes):
    return axes.images[0].get_array()


def test_the_axes_are_returned(axes):
    assert plot_structure(axes, np.array([[0, 1]])) is axes
    assert plot_structure(axes, np.array([0, 1])) is axes


def test_a_line_is_drawn_as_steps(axes):
    plot_structure(axes, np.array([0, 1, 1, 0], np.uint8))
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [0, 1, 1, 0])


def test_a_volume_shows_its_central_slice(axes):
    volume = np.zeros((5, 4, 6), np.uint8)
    volume[2, 1, 3] = 1
    plot_structure(axes, volume, grid=Grid(volume.shape))
    np.testing.assert_array_equal(image(axes), volume[2])
    assert axes.texts[0].get_text() == "z = 2 voxel"


def test_a_continuous_field_keeps_its_values(axes):
    field = np.random.default_rng(0).normal(size=(4, 4))
    plot_structure(axes, field)
    np.testing.assert_array_equal(image(axes), field)


def test_a_strip_has_a_gap_between_pictures(axes):
    pictures = np.arange(24).reshape(2, 3, 4) % 2
    assert plot_strip(axes, pictures, ["a", 7], phases=2) is axes
    strip = image(axes)
    assert strip.shape == (3, 9)
    np.testing.assert_array_equal(strip[:, :4], pictures[0])
    np.testing.assert_array_equal(strip[:, 5:], pictures[1])
    assert strip.mask[:, 4].all()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "7"]
    assert list(axes.get_xticks()) == [1.5, 6.5]


def test_a_strip_shows_lines_as_bands_and_volumes_as_central_slices():
    line = np.array([[0.0, 1.0, 2.0, 3.0, 4.0]])
    np.testing.assert_array_equal(image(plot_strip(Figure().subplots(), line, ["a"])), line)
    volume = np.arange(24.0).reshape(1, 3, 2, 4)
    np.testing.assert_array_equal(image(plot_strip(Figure().subplots(), volume, ["a"])), volume[0, 1])


@pytest.mark.parametrize("phases", [None, 1])
def test_values_of_a_strip_share_a_scale(phases):
    axes = plot_strip(Figure().subplots(), np.array([[[1.0]], [[3.0]]]), ["a", "b"], phases=phases)
    assert axes.images[0].get_clim() == (1.0, 3.0)
    axes = plot_strip(Figure().subplots(), np.array([[[1.0]]]), ["a"], limits=(0, 5), phases=phases)
    assert axes.images[0].get_clim() == (0, 5)


@pytest.mark.parametrize(("n", "names"), [(0, []), (2, ["a"])])
def test_a_strip_without_pictures_or_names_is_rejected(n, names):
    with pytest.raises(InputError, match=rf"there are {n} pictures and {len(names)} names"):
        plot_strip(Figure().subplots(), np.zeros((n, 2, 2)), names)


def test_sections_pass_through_the_centre():
    volume = (np.arange(60).reshape(3, 4, 5) % 2).astype(np.uint8)
    grid = Grid((3, 4, 5), voxel_size=(1, 2, 3), unit="nanometer")
    axes = list(Figure().subplots(1, 3))
    assert plot_sections(axes, volume, grid=grid) is axes
    for normal, section in enumerate(axes):
        np.testing.assert_array_equal(image(section), volume.take(volume.shape[normal] // 2, axis=normal))
    assert [(section.get_xlabel(), section.get_ylabel()) for section in axes] == [
        ("x / nm", "y / nm"),
        ("x / nm", "z / nm"),
        ("y / nm", "z / nm"),
    ]
    assert axes[2].images[0].get_extent() == [0, 8, 3, 0]


def test_sections_of_an_image_are_rejected():
    with pytest.raises(InputError, match="A volume"):
        plot_sections(list(Figure().subplots(1, 3)), np.zeros((2, 2), dtype=np.uint8))


def test_a_strip_states_the_size_of_its_pictures(axes):
    grid = Grid((3, 4), voxel_size=0.5, unit="micrometer")
    plot_strip(axes, np.zeros((2, 3, 4)), ["a", "b"], phases=2, grid=grid)
    assert axes.get_xlabel() == "each 1.5 x 2 µm (y x)"
    plot_strip(axes, np.zeros((2, 3, 4, 5)), ["a", "b"], phases=2, grid=Grid((3, 4, 5)))
    assert axes.get_xlabel() == "central slices of 3 x 4 x 5 voxels (z y x)"
