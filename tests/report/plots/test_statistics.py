"""Plots of statistics show the given lags, with lengths in the unit of the grid."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from matvae import Grid
from matvae.report import plot_difference, plot_statistics


def test_zero_lag_is_at_zero_and_lengths_have_units():
    axes = Figure().subplots()
    f = np.zeros((8, 5))
    f[4, 2] = 1
    image = plot_statistics(axes, f, grid=Grid((8, 5), voxel_size=(2.0, 0.5), unit="nanometer"))
    left, right, bottom, top = image.get_extent()
    assert (left, right) == (-1.25, 1.25)
    assert (top, bottom) == (-9.0, 7.0)
    assert axes.get_xlabel() == "lag x / nm"
    assert axes.get_ylabel() == "lag y / nm"


def test_statistics_of_a_line_are_drawn_against_the_lag():
    axes = Figure().subplots()
    assert plot_statistics(axes, np.array([0.1, 0.2, 0.5, 0.2])) is None
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), [-2, -1, 0, 1])


def test_statistics_of_a_volume_are_those_at_zero_lag():
    axes = Figure().subplots()
    f = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(plot_statistics(axes, f).get_array(), f[1])
    assert axes.texts[0].get_text() == "lag z = 0"


def test_the_scale_of_a_difference_is_symmetric_about_zero():
    f, g = np.array([[0.5, 0.25], [0.25, 0.5]]), np.array([[0.5, 0.5], [0.125, 0.5]])
    axes = Figure().subplots()
    assert plot_difference(axes, f, g) is axes
    np.testing.assert_allclose(axes.images[0].get_array(), g - f)
    assert axes.images[0].get_clim() == (-0.25, 0.25)
    line = plot_difference(Figure().subplots(), f[0], g[0])
    np.testing.assert_allclose(line.lines[0].get_ydata(), [0, 0.25])
