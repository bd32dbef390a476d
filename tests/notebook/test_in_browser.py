"""Results in Chromium: accessibility rules in light and dark themes, on wide and on narrow pages."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, Structures, reconstruct, two_point_stats
from matvae.estimator.progress import _Bar

# Background and text of the themes of JupyterLab.
THEMES = {"light": ("#ffffff", "#212121"), "dark": ("#111111", "#ffffff")}


def results():
    """Labels of few and many phases, a field, a volume, a grid, a reconstruction, and the progress of a fit."""
    rng = np.random.default_rng(0)
    labels = (rng.random((6, 16, 24)) < 0.3).astype(np.uint8)
    grid = Grid((16, 24), voxel_size=0.5, unit="micrometer", axes=("y", "x"))
    properties = {"a property of which the name is long, and hardly fits on a phone_" + "x" * 60: np.arange(6.0)}
    return [
        Structures(labels, grid, properties),
        Structures(rng.integers(0, 9, (2, 16, 24)).astype(np.uint8), Grid((16, 24), phases=9)),
        Structures(rng.random((2, 16, 24)), Grid((16, 24), phases=1)),
        Structures(labels[:, None].repeat(4, axis=1), Grid((4, 16, 24))),
        grid,
        reconstruct(two_point_stats(labels), grid=grid, max_iter=2, random_state=0),
        _Bar({"epoch": 2, "progress": 0.5, "seconds": 1.0, "loss": 0.25}),
    ]


@pytest.fixture(scope="module")
def parts():
    return "".join(result._repr_html_() for result in results())


@pytest.fixture
def open_page(chromium, parts):
    pages = []

    def opened(width, theme):
        background, text = THEMES[theme]
        page = chromium.new_page(viewport={"width": width, "height": 900})
        pages.append(page)
        style = f"background: {background}; color: {text}"
        page.set_content(
            f'<!doctype html><html lang="en"><title>Notebook</title><body style="{style}">'
            f"<main><h1>Results</h1>{parts}</main></body></html>"
        )
        return page

    yield opened
    for page in pages:
        page.close()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [1300, 390])
def test_accessibility_rules_are_kept(open_page, check_accessibility, theme, width):
    check_accessibility(open_page(width, theme))


@pytest.mark.parametrize("width", [1300, 390])
def test_the_page_itself_does_not_scroll_sideways(open_page, width):
    page = open_page(width, "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", THEMES)
def test_all_text_has_the_colour_of_its_surroundings(open_page, theme):
    page = open_page(1300, theme)
    colours = page.evaluate(
        "[...document.querySelectorAll('main *')].map(element => getComputedStyle(element).color)"
        ".concat(getComputedStyle(document.body).color)"
    )
    assert len(set(colours)) == 1
