"""Names are drawn letter by letter."""

from __future__ import annotations

import pytest

from matvae.report.words import MOST, label_text


@pytest.mark.parametrize(
    ("name", "unit", "text"),
    [
        ("modulus", None, "modulus"),
        ("modulus", "GPa", "modulus / GPa"),
        ("volume_fraction", "1", "volume_fraction"),
        ("two\n lines", None, "two lines"),
        ("$x", "$", r"\$x / \$"),
        ("a" * 100, None, "a" * (MOST - 1) + "…"),
    ],
)
def test_names(name, unit, text):
    assert label_text(name, unit) == text


def test_what_looks_like_mathematics_is_drawn_as_it_is():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure).draw()
    axes = figure.subplots()
    axes.set_xlabel(label_text(r"$\frac$ and $\nosuch{$"))
    # Unescaped, this raises ValueError: it cannot be parsed.
    figure.canvas.draw()
