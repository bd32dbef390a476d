"""Plots of errors: values, and labels at the ends of the lines that do not overlap."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

from matvae.errors import InputError
from matvae.report import plot_comparison, plot_errors
from matvae.report.plots.errors import separate
from matvae.report.style import GREY, SERIES


def row(method, n, error, *, structure=None, r2=None):
    scores = {} if r2 is None else {"a/b": {"polynomial": r2, "gaussian_process": r2 + 0.1}}
    return {
        "method": method,
        "n_components": n,
        "centred_error": error,
        "structure_centred_error": structure,
        "r2": scores,
    }


ROWS = [
    row("training mean", None, 1.0, r2=0.0),
    row("PCA", 1, 0.8, r2=0.5),
    row("PCA", 4, 0.4, r2=0.9),
    row("matvae", 4, 0.3, structure=0.5, r2=0.85),
    row("matvae", 1, 0.7, structure=0.9, r2=-7.0),
]


def lines_of(axes):
    return [(line.get_color(), *map(list, line.get_data())) for line in axes.lines]


def test_each_plot_shows_its_values():
    figure = plot_comparison(ROWS)
    decoded, structures, linkage = figure.axes
    (blue, _), (red, _), *_ = SERIES
    assert lines_of(decoded) == [
        (GREY, [1, 4], [1.0, 1.0]),
        (blue, [1, 4], [0.8, 0.4]),
        (red, [1, 4], [0.7, 0.3]),
    ]
    # The rows of PCA have no errors of structures.
    assert lines_of(structures) == [(red, [1, 4], [0.9, 0.5])]
    assert [line[2] for line in lines_of(linkage)[1:3]] == [[0.5, 0.9], pytest.approx([0.6, 1.0])]
    assert [line.get_linestyle() for line in linkage.lines[1:]] == ["-", ":", "-", ":"]
    assert linkage.get_title().startswith("linkage to a/b")
    assert linkage.get_ylim()[0] >= -0.6
    assert "cut off" in linkage.texts[0].get_text()
    for axes in figure.axes:
        assert axes.get_xlabel() == "number of components"
        assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "4"]
        assert axes.get_ylabel()
    assert decoded.get_ylim()[0] == 0.0


def test_labels_at_the_ends_of_lines_do_not_overlap():
    rows = [row("one", 2, 0.50), row("two", 2, 0.501), row("three", 2, 0.502), row("mean", None, 0.5)]
    (axes,) = plot_comparison(rows).axes
    axes.figure.canvas.draw()
    assert {text.get_text() for text in axes.texts} == {"one", "two", "three", "mean"}
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert all(axes.figure.bbox.x1 >= box.x1 for box in boxes)


def test_plots_without_values_are_omitted():
    assert len(plot_comparison([row("PCA", 1, 0.5)]).axes) == 1
    (axes,) = plot_comparison([row("PCA", 1, 0.5), row("PCA", 2, None), row("x", 1, float("nan"))]).axes
    assert lines_of(axes) == [(SERIES[0][0], [1], [0.5])]
    with pytest.raises(InputError, match="At least one row"):
        plot_comparison([row("training mean", None, 1.0)])


def test_one_error_is_drawn_on_the_given_axes():
    axes = Figure().subplots()
    rows = [row("PCA", 1, 0.5, structure=0.75), row("PCA", 2, 0.25)]
    assert plot_errors(axes, rows) is axes
    assert lines_of(axes) == [(SERIES[0][0], [1, 2], [0.5, 0.25])]
    assert lines_of(plot_errors(Figure().subplots(), rows, key="structure_centred_error"))[0][1:] == ([1], [0.75])


def test_heights_of_labels_are_separated():
    assert separate([0.1, 0.5, 0.9], 0.1, 1.0) == pytest.approx([0.1, 0.5, 0.9])
    assert separate([0.5, 0.5, 0.5], 0.1, 1.0) == pytest.approx([0.5, 0.6, 0.7])
    separated = separate([0.95, 0.97, 1.0], 0.1, 1.0)
    assert separated == pytest.approx([0.8, 0.9, 1.0])
    assert np.all(np.diff(separated) >= 0.1 - 1e-12)
