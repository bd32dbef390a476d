"""The plot of the values in a file: sizes in space, one scale for all images."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matvae import Grid
from matvae.report import plot_values

IMAGES = [np.array([[0, 100, 255], [100, 100, 0]]), np.array([[0, 0], [255, 100]])]
GRIDS = [Grid((2, 3), voxel_size=(2, 0.5), unit="micrometer"), Grid((2, 2), voxel_size=0.5, unit="micrometer")]


def test_few_values_have_a_colour_each_and_are_named():
    figure = plot_values(IMAGES, GRIDS, ["normal to z", "normal to y"], distinct=(0, 100, 255))
    first, second, key = figure.axes
    np.testing.assert_array_equal(first.images[0].get_array(), [[0, 1, 2], [1, 1, 0]])
    assert first.images[0].get_extent() == [0, 1.5, 4, 0]
    assert first.images[0].get_clim() == second.images[0].get_clim() == (-0.5, 2.5)
    assert (first.get_xlabel(), first.get_title()) == ("x / µm", "normal to z")
    assert [label.get_text() for label in key.get_yticklabels()] == ["0", "100", "255"]


def test_grey_levels_share_one_scale():
    figure = plot_values(IMAGES, GRIDS, ["", ""], distinct=None)
    assert [axes.images[0].get_clim() for axes in figure.axes[:2]] == [(0, 255), (0, 255)]


def test_a_line_is_drawn_as_one():
    figure = plot_values([np.array([0.0, 2, 1])], [Grid((3,), phases=1)], [""], distinct=None)
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [0, 2, 1])
