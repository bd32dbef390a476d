"""Figures for papers have the width of a column and text of one size, and no plot is lost."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.text import Text

from matvae import Grid, Structures, two_point_stats
from matvae.errors import InputError
from matvae.report import plot_comparison, plot_reconstructions
from matvae.report.paper import MM_PER_INCH, STYLES, figure_style

ROWS = [
    {
        "method": "PCA",
        "n_components": n,
        "centred_error": 1 / n,
        "structure_centred_error": 2 / n,
        "r2": {"modulus": {"polynomial": 0.5, "gaussian_process": 0.75}},
    }
    for n in (1, 2)
]


def sizes(figure):
    return {text.get_fontsize() for text in figure.findobj(Text) if text.get_text()}


@pytest.mark.parametrize(("style", "width"), [("single", 90), ("double", 190)])
def test_a_figure_is_as_wide_as_a_column_with_text_of_seven_points(style, width):
    structures = Structures(np.zeros((4, 8, 12), np.uint8), Grid((8, 12)))
    for figure in (structures.plot(figure_style=style), plot_comparison(ROWS, figure_style=style)):
        assert figure.get_size_inches()[0] * MM_PER_INCH == pytest.approx(width)
        figure.draw_without_rendering()
        assert sizes(figure) == {7}


@pytest.mark.parametrize(("style", "columns"), [("screen", 3), ("single", 1), ("double", 2)])
def test_plots_are_arranged_in_as_many_columns_as_the_style_has(style, columns):
    figure = plot_comparison(ROWS, figure_style=style)
    assert len(figure.axes) == 3
    figure.draw_without_rendering()
    assert len({round(axes.get_position().x0, 2) for axes in figure.axes}) == columns


@pytest.mark.parametrize("difference", [False, True])
def test_a_single_column_keeps_every_picture_of_a_reconstruction(difference):
    X, Y = np.random.default_rng(0).integers(0, 2, (2, 3, 8, 8)).astype(np.uint8)
    f, g = two_point_stats(X), two_point_stats(Y)
    wide, narrow = (
        plot_reconstructions(X, Y, f, g, difference=difference, figure_style=style) for style in ("screen", "single")
    )

    def images(figure):
        return [image.get_array() for axes in figure.axes for image in axes.images]

    assert len(images(narrow)) == (15 if difference else 12)
    for left, right in zip(images(wide), images(narrow), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_style_for_screens_leaves_a_figure_as_it_is():
    figure = plot_comparison(ROWS)
    before = (tuple(figure.get_size_inches()), sizes(figure))
    assert STYLES["screen"].fit(figure) is figure
    assert (tuple(figure.get_size_inches()), sizes(figure)) == before


def test_unknown_styles_are_refused():
    with pytest.raises(InputError, match="figure_style must be one of 'screen', 'single', 'double'"):
        figure_style("poster")
