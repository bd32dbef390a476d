"""Scatter plots: coordinates of the points, and colours of their values or groups."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from matvae.errors import InputError
from matvae.report import plot_agreement, plot_candidates, plot_latents


def points(axes):
    return [np.asarray(cloud.get_offsets()).tolist() for cloud in axes.collections if len(cloud.get_offsets())]


def test_points_that_are_not_finite_are_omitted():
    axes = Figure().subplots()
    assert plot_agreement(axes, [1.0, 2.0, np.nan], [1.5, 2.0, 3.0]) is axes
    assert points(axes) == [[[1.0, 1.5], [2.0, 2.0]]]
    diagonal = axes.lines[0]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == list(axes.get_xlim()) == list(axes.get_ylim())


def test_error_bars_are_as_long_as_the_spread():
    axes = plot_agreement(Figure().subplots(), [1.0, 2.0], [1.5, 2.0], spread=[0.25, np.nan])
    bars = axes.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(bars, [[[1.0, 1.25], [1.0, 1.75]], [[2.0, 2.0], [2.0, 2.0]]])


def test_each_group_has_its_own_points_and_label():
    axes = plot_agreement(Figure().subplots(), [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], kinds=["a", "b", "a"])
    assert points(axes) == [[[1.0, 1.0], [3.0, 3.0]], [[2.0, 2.0]]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]


@pytest.mark.parametrize(
    ("target", "achieved", "message"),
    [
        ([1.0], [1.0, 2.0], r"\(1,\) and \(2,\) were given"),
        ([np.nan], [1.0], "there is none"),
        ([], [], "there is none"),
    ],
)
def test_arrays_that_cannot_be_drawn_are_rejected(target, achieved, message):
    with pytest.raises(InputError, match=message):
        plot_agreement(Figure().subplots(), target, achieved)


def test_candidates_are_drawn_with_the_requested_value():
    axes = Figure().subplots()
    assert plot_candidates(axes, [1.0, np.nan, 3.0], spread=[0.5, np.nan, 0.25], requested=2.0) is axes
    dots, dashed = axes.lines[0], axes.lines[-1]
    assert list(dots.get_xdata()) == [0, 1, 2]
    np.testing.assert_array_equal(dots.get_ydata(), [1.0, np.nan, 3.0])
    assert list(dashed.get_ydata()) == [2.0, 2.0]
    bars = axes.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(bars[0], [[0, 0.5], [0, 1.5]])
    assert len(plot_candidates(Figure().subplots(), [1.0]).lines) == 1
    (band,) = plot_candidates(Figure().subplots(), [1.0], known=(0.5, 3.0)).patches
    assert (band.get_y(), band.get_height()) == (0.5, 2.5)


def test_latents_are_drawn_in_the_given_components():
    latents = np.arange(12.0).reshape(4, 3)
    axes = Figure().subplots()
    assert plot_latents(axes, latents, components=(2, 0)) is axes
    assert points(axes) == [latents[:, [2, 0]].tolist()]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("component 3", "component 1")


def test_a_single_component_is_drawn_against_the_sample_index():
    axes = plot_latents(Figure().subplots(), np.array([[5.0], [7.0]]), components=(0, 0), called="score")
    assert points(axes) == [[[0.0, 5.0], [1.0, 7.0]]]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("sample", "score 1")


def test_a_property_has_a_colour_bar_and_missing_values_are_grey():
    figure = Figure()
    axes = plot_latents(figure.subplots(), np.eye(3), values=np.array([1.0, np.nan, 3.0]), value_name="a $name$ / GPa")
    grey, coloured = axes.collections
    assert np.asarray(grey.get_offsets()).tolist() == [[0.0, 1.0]]
    assert coloured.get_array().tolist() == [1.0, 3.0]
    assert figure.axes[1].get_ylabel() == r"a \$name\$ / GPa"


def test_materials_and_candidates_are_drawn():
    rings = np.array([[9.0, 8.0]])
    axes = plot_latents(Figure().subplots(), np.eye(2), kinds=["rock", "wood"], candidates=rings)
    assert points(axes) == [[[1.0, 0.0]], [[0.0, 1.0]], [[9.0, 8.0]]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["rock", "wood"]
