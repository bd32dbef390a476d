"""The page of a report: whole, readable without seeing it, self-contained, and safe from what names hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from matvae.report import report_page

from .reading import Outline, assert_one_file, assert_readable_without_seeing_it
from .report import parts


@pytest.fixture(scope="module")
def page():
    return report_page(parts())


@pytest.fixture(scope="module")
def outline(page):
    return Outline(page)


def test_every_element_is_closed(outline):
    assert outline.open == []


def test_it_is_one_file(page, outline):
    assert_one_file(page, outline)


def test_it_can_be_read_without_seeing_it(outline):
    assert_readable_without_seeing_it(outline)


def test_links_lead_somewhere_and_each_part_is_named_by_its_heading(outline):
    names = Counter(attributes["id"] for _, attributes in outline.found if "id" in attributes)
    assert max(names.values()) == 1
    places = [one["href"] for one in outline.all("a") if "download" not in one]
    assert places
    assert all(place[0] == "#" and place[1:] in names for place in places)
    assert [one["aria-labelledby"] for one in outline.all("section")] == [place[1:] for place in places]


def test_every_part_says_what_good_looks_like(page, outline):
    assert page.count("What good looks like:") == len(outline.all("section")) == 10


def test_figures_and_numbers_can_be_saved(outline):
    files = [one["download"] for one in outline.all("a") if "download" in one]
    assert {"training.csv", "errors.csv", "latents.csv", "volume-fractions.csv", "candidates.csv"} <= set(files)
    assert len(files) == len(set(files))
    assert all("data-name" in one for one in outline.all("figure"))


def test_the_head_says_how_far_to_trust_it(page):
    assert "6 structures became 3 numbers each" in page
    assert "by 15.0 % on average" in page
    assert "A note." in page
    assert "To know before reading" not in report_page(parts(notes=[]))


@pytest.fixture(scope="module")
def hostile():
    """A page of volumes, with names that want to be more."""
    bad = "</script><script>alert(1)</script><img src=x onerror=alert(2)> $\\frac"
    one = parts((4, 5, 6), phases=3)
    made = report_page(
        replace(
            one,
            title=bad,
            model={bad: bad},
            data={"cut from": bad},
            notes=[bad],
            properties={bad: one.properties["modulus"]},
            units={bad: bad},
            materials=[bad] * 6,
            candidates=replace(
                one.candidates, name=bad, properties={bad: np.arange(3.0), f"requested_{bad}": np.arange(3.0)}
            ),
        )
    )
    return Outline(made)


def test_names_are_text_and_nothing_else(hostile):
    assert hostile.open == []
    # The page's own script, and that of volumes.
    assert len(hostile.all("script")) == 2
    assert all(image["src"].startswith("data:image/png") for image in hostile.all("img"))
    assert not any(name.startswith("on") for _, attributes in hostile.found for name in attributes)
    assert "".join(hostile.text).count("alert(2)") > 5


def test_volumes_can_be_turned_without_a_pointer(hostile):
    canvases = hostile.all("canvas")
    assert len(canvases) == 3
    for one in canvases:
        assert (one["tabindex"], one["role"], one["data-shape"]) == ("0", "img", "4,5,6")
        assert "Arrow keys turn it" in one["aria-label"]


def test_what_is_not_there_is_explained():
    made = report_page(
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
        )
    )
    outline = Outline(made)
    assert outline.open == []
    assert not outline.all("canvas")
    for reason in (
        "keeps no record of its training",
        "has no volume fractions",
        "All have the same statistics.",
        "No training structures were given.",
        "No candidates were given",
    ):
        assert reason in made
