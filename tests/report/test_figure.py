"""Figures are saved with as many pixels as a screen of high resolution has, unless somebody asks for others."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from matvae import plot_structures


@pytest.fixture
def figure():
    return plot_structures(np.eye(64, dtype=np.uint8)[None])


def width(figure, **options) -> int:
    file = io.BytesIO()
    figure.savefig(file, **options)
    return Image.open(file).width


def test_a_saved_figure_is_as_crisp_as_a_shown_one(figure):
    shown, size = figure._repr_png_()
    assert width(figure) == Image.open(io.BytesIO(shown)).width == 2 * size["width"]


def test_other_resolutions_are_kept(figure):
    inches = figure.get_size_inches()[0]
    assert width(figure, dpi=50) == int(50 * inches)
    assert width(figure, dpi="figure") == int(figure.dpi * inches)
    with mpl.rc_context({"savefig.dpi": 72}):
        assert width(figure) == int(72 * inches)
