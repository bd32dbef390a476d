"""A page is one file: text is escaped, pictures are inside, and nothing is fetched."""

from __future__ import annotations

import base64
import io
import re
import sys

import jinja2
import numpy as np
import pytest

from matvae.errors import MissingExtraError
from matvae.report import check_page_libraries, embed_figure, embed_picture, page, render_page


def png(uri):
    """Colours ``(y, x, 4)`` of a picture in a data URI."""
    from matplotlib.image import imread

    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    return imread(io.BytesIO(base64.b64decode(body, validate=True)), format="png")


@pytest.fixture
def template(tmp_path, monkeypatch):
    """A template beside the base, extended by it."""
    (tmp_path / "base.html.jinja").write_text((page.TEMPLATES / "base.html.jinja").read_text())
    (tmp_path / "x.html.jinja").write_text(
        '{% extends "base.html.jinja" %}{% block content %}<p>{{ words }}</p>{% endblock %}'
    )
    monkeypatch.setattr(page, "TEMPLATES", tmp_path)
    return "x.html.jinja"


def test_text_is_escaped(template):
    made = render_page(template, title="1 < 2", version="0", words="<script>alert('&')</script>")
    assert "<p>&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;</p>" in made
    assert "<title>1 &lt; 2</title>" in made


def test_a_missing_value_is_an_error_and_not_an_empty_place(template):
    with pytest.raises(jinja2.UndefinedError, match="'words' is undefined"):
        render_page(template, title="a", version="0")


def test_the_base_reads_in_any_light_and_on_paper_and_fetches_nothing(template):
    made = render_page(template, title="a", version="0", words="b")
    assert made.startswith("<!DOCTYPE html>")
    assert '<html lang="en">' in made
    for rule in ("prefers-color-scheme: dark", "@media print", "width=device-width"):
        assert rule in made
    assert not re.search(r"https?:|@import|url\(|<link|src=\"(?!data:)", made)


def test_text_and_ground_differ_enough_in_light_and_dark(template):
    """Contrast of at least 4.5 as WCAG 2.2, criterion 1.4.3 asks for, with relative luminance as defined there."""
    made = render_page(template, title="a", version="0", words="b")

    def luminance(colour):
        channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    themes = re.findall(r":root \{(.*?)\}", made, re.DOTALL)
    assert len(themes) == 3
    for theme in themes:
        colours = dict(re.findall(r"--(\w+): (#\w{6})", theme))
        for ground in ("ground", "band"):
            for name in ("text", "quiet", "accent"):
                low, high = sorted(luminance(colours[one]) for one in (name, ground))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (name, ground, theme)


def test_a_picture_has_one_pixel_a_value_in_the_colours_asked_for():
    values = np.array([[0.0, 0.5, 1.0], [1.0, 0.0, 0.5]])
    found = png(embed_picture(values, "gray", low=0, high=1))
    assert found.shape == (2, 3, 4)
    np.testing.assert_allclose(found[..., 0], values, atol=0.003)
    np.testing.assert_array_equal(found[..., 3], 1)
    np.testing.assert_allclose(png(embed_picture(values, "gray", low=0, high=2))[0, 2, 0], 0.5, atol=0.003)


def test_a_figure_becomes_a_picture_of_its_size():
    from matplotlib.figure import Figure

    assert png(embed_figure(Figure(figsize=(2, 1), dpi=50))).shape == (50, 100, 4)


@pytest.mark.parametrize("library", ["matplotlib", "jinja2"])
def test_a_missing_library_is_named(monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"needs {library}.*matvae\[plot\]"):
        check_page_libraries()
