"""Labels are drawn literally, colours are distinct, and figure formats are checked."""

from __future__ import annotations

import sys

import pytest

from matvae import Grid
from matvae.errors import InputError, MissingExtraError
from matvae.report import check_figure_format
from matvae.report.style import (
    INK,
    LONGEST_LABEL,
    MOST_SWATCHES,
    PAPER,
    SERIES,
    add_phase_legend,
    colour_codes,
    extent_text,
    label_text,
    new_figure,
)


@pytest.mark.parametrize(
    ("name", "unit", "text"),
    [
        ("modulus", None, "modulus"),
        ("modulus", "GPa", "modulus / GPa"),
        ("volume_fraction", "1", "volume_fraction"),
        ("two\n lines", None, "two lines"),
        ("$x", "$", r"\$x / \$"),
        ("a" * 100, None, "a" * (LONGEST_LABEL - 1) + "…"),
    ],
)
def test_labels_are_formatted(name, unit, text):
    assert label_text(name, unit) == text


def test_dollar_signs_are_not_read_as_mathematics():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure).draw()
    axes = figure.subplots()
    axes.set_xlabel(label_text(r"$\frac$ and $\nosuch{$"))
    # Unescaped, the label cannot be parsed, and this raises ValueError.
    figure.canvas.draw()


def test_series_are_distinct_in_greyscale_as_well():
    colours, markers = zip(*SERIES, strict=True)
    assert len(set(colours)) == len(set(markers)) == len(SERIES)


def test_figure_formats_are_checked():
    with pytest.raises(InputError, match=r"must end in one of \.png, \.pdf, \.svg, but picture\.doc was given"):
        check_figure_format("picture.doc")
    check_figure_format("picture.PDF")


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[plot\]'"):
        check_figure_format("a.png")


def legend(phases, names=()):
    figure = new_figure(4, 3)
    add_phase_legend(figure, phases, names)
    return [
        (text.get_text(), patch.get_facecolor())
        for each in figure.legends
        for text, patch in zip(each.get_texts(), each.get_patches(), strict=True)
    ]


def test_a_legend_names_the_colour_of_each_phase():
    from matplotlib.colors import to_rgba

    assert colour_codes(2) == [PAPER, INK]
    assert legend(2, ["pore", "solid"]) == [("pore", to_rgba(PAPER)), ("solid", to_rgba(INK))]
    assert [text for text, _ in legend(3)] == ["phase 0", "phase 1", "phase 2"]
    assert [colour for _, colour in legend(3)] == [to_rgba(code) for code in colour_codes(3)]


def test_a_field_has_no_legend_and_many_phases_have_a_few_entries():
    assert legend(1) == []
    labels = [text for text, _ in legend(100)]
    assert len(labels) == MOST_SWATCHES
    assert (labels[0], labels[-1]) == ("phase 0", "phase 99")


def test_the_size_of_a_structure_is_in_units_of_length_where_these_are_known():
    assert extent_text(Grid((32, 16))) == "32 x 16 voxels (y x)"
    assert extent_text(Grid((32, 16), voxel_size=(0.5, 0.25), unit="micrometer")) == "16 x 4 µm (y x)"
