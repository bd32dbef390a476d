"""The page of a report is well-formed, accessible and self-contained, and escapes names in the data."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from matvae.report import report_page

from .reading import Outline, assert_accessible, assert_self_contained
from .report_parts import parts


@pytest.fixture(scope="module")
def page():
    return report_page(parts())


@pytest.fixture(scope="module")
def outline(page):
    return Outline(page)


def test_every_element_is_closed(outline):
    assert outline.open == []


def test_it_is_self_contained(page, outline):
    assert_self_contained(page, outline)


def test_it_is_accessible(outline):
    assert_accessible(outline)


def test_what_scrolls_is_reached_by_the_keyboard_and_has_a_name(page, outline):
    scrolling = [attributes for attributes in outline.all("div") if attributes.get("class") == "wide"]
    assert len(scrolling) == len(outline.all("table")) + len(outline.all("figure"))
    assert all(each["tabindex"] == "0" and each["role"] == "group" and each["aria-label"] for each in scrolling)


def test_figures_keep_the_size_of_their_text_on_narrow_screens(page, outline):
    figures = [image for image in outline.all("img") if "pixels" not in image.get("class", "")]
    assert all(image["style"].startswith("--width: ") for image in figures)
    assert "figure img { width: calc(0.8 * var(--width, 40rem)); max-width: none; }" in page


def test_the_first_screen_says_what_to_do_next(page):
    start, end = page.index("What to do next"), page.index("<nav")
    assert start < end
    assert "Look at the reconstructions." in page[start:end]


def test_links_have_targets_and_each_section_is_named_by_its_heading(outline):
    names = Counter(attributes["id"] for _, attributes in outline.elements if "id" in attributes)
    assert max(names.values()) == 1
    targets = [link["href"] for link in outline.all("a") if "download" not in link]
    assert targets
    assert all(target[0] == "#" and target[1:] in names for target in targets)
    assert [section["aria-labelledby"] for section in outline.all("section")] == [target[1:] for target in targets]


def test_every_section_states_what_good_results_look_like(page, outline):
    assert page.count("What good looks like:") == len(outline.all("section")) == 11


def test_figures_and_data_can_be_saved(outline):
    files = [link["download"] for link in outline.all("a") if "download" in link]
    assert {"training.csv", "errors.csv", "latents.csv", "volume-fractions.csv", "candidates.csv"} <= set(files)
    assert len(files) == len(set(files))
    assert all("data-name" in figure for figure in outline.all("figure"))


def test_the_lead_states_how_large_the_error_is(page):
    assert "6 structures were encoded as 3 numbers each" in page
    assert "by 15.0 % (median of the relative error)" in page
    lead = report_page(parts(summary="matvae decodes statistics better than PCA."))
    assert '<p class="lead">matvae decodes statistics better than PCA.</p>' in lead
    assert "A note." in page
    assert "Before you read on" not in report_page(parts(notes=[]))


@pytest.fixture(scope="module")
def hostile():
    """A page of volumes whose names contain markup."""
    bad = "</script><script>alert(1)</script><img src=x onerror=alert(2)> $\\frac"
    contents = parts((4, 5, 6), phases=3)
    candidates = replace(
        contents.candidates, name=bad, properties={bad: np.arange(3.0), f"requested_{bad}": np.arange(3.0)}
    )
    html = report_page(
        replace(
            contents,
            title=bad,
            model={bad: bad},
            data={"cut from": bad},
            notes=[bad],
            properties={bad: contents.properties["modulus"]},
            units={bad: bad},
            materials=[bad] * 6,
            candidates=candidates,
        )
    )
    return Outline(html)


def test_names_are_rendered_as_text_only(hostile):
    assert hostile.open == []
    # The script of every page, and that of the viewer of volumes.
    assert len(hostile.all("script")) == 2
    assert all(image["src"].startswith("data:image/png") for image in hostile.all("img"))
    assert not any(name.startswith("on") for _, attributes in hostile.elements for name in attributes)
    assert "".join(hostile.text).count("alert(2)") > 5


def test_volumes_can_be_rotated_without_a_pointer(hostile):
    canvases = hostile.all("canvas")
    assert len(canvases) == 3
    for canvas in canvases:
        assert (canvas["tabindex"], canvas["role"], canvas["data-shape"]) == ("0", "img", "4,5,6")
        assert "The arrow keys rotate it" in canvas["aria-label"]


def test_missing_contents_are_explained():
    html = report_page(
        parts(
            (12,),
            history=[],
            fractions=None,
            rows=[],
            rows_note="All have the same statistics.",
            similar={},
            searched="No training structures were given.",
            properties={},
            materials=None,
            candidates=None,
            realized_set_note="these are fields",
        )
    )
    outline = Outline(html)
    assert outline.open == []
    assert not outline.all("canvas")
    for reason in (
        "has no record of its training",
        "has no volume fractions",
        "All have the same statistics.",
        "No training structures were given.",
        "No candidates were given",
        "No sets were compared: these are fields.",
    ):
        assert reason in html
