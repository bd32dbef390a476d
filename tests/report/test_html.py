"""Rendering of a page to a single file, with escaped text and embedded images."""

from __future__ import annotations

import base64
import io
import re
import sys

import numpy as np
import pytest

from matvae.errors import MissingExtraError
from matvae.report import (
    Command,
    Definitions,
    Page,
    Panel,
    Picture,
    PictureTable,
    Remark,
    Table,
    check_page_libraries,
    csv_download,
    embed_figure,
    embed_picture,
    render_page,
)

from .reading import Outline, assert_accessible, assert_self_contained


def png(uri):
    """Colours ``(y, x, 4)`` of an image in a data URI."""
    from matplotlib.image import imread

    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    return imread(io.BytesIO(base64.b64decode(body, validate=True)), format="png")


def page(*content, **changes):
    values = {"title": "a", "lead": "b", "panels": [Panel("p", "P", content)], "version": "0"}
    return render_page(Page(**{**values, **changes}))


def test_text_is_escaped():
    html = page("<script>alert('&')</script>", title="1 < 2", notes=["<b>"], remark="<i>")
    assert "<p>&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;</p>" in html
    assert "<title>1 &lt; 2</title>" in html
    assert "<li>&lt;b&gt;</li>" in html
    assert '<p class="quiet">&lt;i&gt;</p>' in html


def test_text_between_backticks_is_code():
    html = page("Run `matvae <x>` now.", Remark("`a`"), Definitions([("t", "`b`")]), Command("c `d`"))
    assert "<p>Run <code>matvae &lt;x&gt;</code> now.</p>" in html
    assert '<p class="quiet"><code>a</code></p>' in html
    assert "<li><strong>t</strong>: <code>b</code></li>" in html
    assert "<pre><code>c `d`</code></pre>" in html


def test_blocks_are_rendered_in_order_and_accessible():
    uri = embed_picture(np.eye(2), "gray", low=0, high=1)
    html = page(
        "paragraph",
        Table(("x", "y"), [("1", "2")], "A table.", folded=True),
        PictureTable("pictures", ("u", "v"), [("two\nlines", [Picture(uri, "an identity matrix", "below")])], "P."),
        csv_download("a.csv", ("x",), [[1]]),
    )
    outline = Outline(html)
    assert outline.open == []
    assert_self_contained(html, outline)
    assert_accessible(outline)
    assert outline.rows == [["x", "y"], ["1", "2"], ["u", "v"], ["twolines", "below"]]
    order = [html.index(part) for part in ("<p>paragraph", "<details>", 'id="pictures"', 'download="a.csv"')]
    assert order == sorted(order)


def test_pages_support_light_and_dark_screens_and_print_and_load_nothing():
    html = page("b")
    assert html.startswith("<!DOCTYPE html>")
    assert '<html lang="en">' in html
    for rule in ("prefers-color-scheme: dark", "@media print", "width=device-width"):
        assert rule in html
    assert not re.search(r"https?:|@import|url\(|<link|src=\"(?!data:)", html)


def test_text_has_sufficient_contrast_in_light_dark_and_print():
    """Contrast of at least 4.5 as required by WCAG 2.2, criterion 1.4.3, with relative luminance as defined there."""
    html = page("b")

    def luminance(colour):
        channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    themes = re.findall(r":root \{(.*?)\}", html, re.DOTALL)
    assert len(themes) == 3
    for theme in themes:
        colours = dict(re.findall(r"--(\w+): (#\w{6})", theme))
        for background in ("ground", "band"):
            for name in ("text", "quiet", "accent"):
                low, high = sorted(luminance(colours[key]) for key in (name, background))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (name, background, theme)


def test_a_picture_has_one_pixel_per_value_in_the_given_colours():
    values = np.array([[0.0, 0.5, 1.0], [1.0, 0.0, 0.5]])
    pixels = png(embed_picture(values, "gray", low=0, high=1))
    assert pixels.shape == (2, 3, 4)
    np.testing.assert_allclose(pixels[..., 0], values, atol=0.003)
    np.testing.assert_array_equal(pixels[..., 3], 1)
    np.testing.assert_allclose(png(embed_picture(values, "gray", low=0, high=2))[0, 2, 0], 0.5, atol=0.003)


def test_a_figure_has_two_pixels_per_pixel_of_the_page():
    from matplotlib.figure import Figure

    assert png(embed_figure(Figure(figsize=(2, 1), dpi=50))).shape == (100, 200, 4)


@pytest.mark.parametrize("library", ["matplotlib", "jinja2"])
def test_a_missing_library_is_named(monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"needs {library}.*matvae\[plot\]"):
        check_page_libraries()
