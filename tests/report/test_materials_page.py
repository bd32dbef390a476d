"""The page of the benchmark of materials is well-formed, accessible and self-contained."""

from __future__ import annotations

from collections import Counter

import pytest

from matvae.report import materials_page

from .materials_result import pictures, result
from .reading import Outline, assert_accessible, assert_self_contained


@pytest.fixture(scope="module")
def page():
    return materials_page(result(), pictures())


@pytest.fixture(scope="module")
def outline(page):
    return Outline(page)


def test_it_is_closed_self_contained_and_accessible(page, outline):
    assert outline.open == []
    assert_self_contained(page, outline)
    assert_accessible(outline)


def test_links_have_targets(outline):
    names = Counter(attributes["id"] for _, attributes in outline.elements if "id" in attributes)
    assert max(names.values()) == 1
    assert {link["href"] for link in outline.all("a")} == {
        "#overview",
        "#material-alloy",
        "#material-berea_3d",
        "#data",
    }


def test_numbers_warnings_and_the_command_are_shown(page, outline):
    text = "".join(outline.text)
    assert "encoded as 2 or 5 numbers each" in text
    assert "2 seeds; training and test windows" in text
    assert "alloy: A &lt;warning&gt; &amp; more." in page
    assert "<code>matvae benchmark materials --data data</code>" in page
    assert "first look" not in text
    assert "first look" in materials_page({**result(), "quick": True}, pictures())
