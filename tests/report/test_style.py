"""Labels are drawn literally, colours are distinct, and figure formats are checked."""

from __future__ import annotations

import sys

import pytest

from matvae.errors import InputError, MissingExtraError
from matvae.report import check_figure_format
from matvae.report.style import LONGEST_LABEL, SERIES, label_text


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
