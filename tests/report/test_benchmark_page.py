"""The page of a benchmark is well-formed, accessible and self-contained."""

from __future__ import annotations

from collections import Counter

import pytest

from matvae.report import benchmark_page
from matvae.report.panels import lines

from .benchmark_parts import parts, result
from .reading import Outline, assert_accessible, assert_self_contained


@pytest.fixture(scope="module")
def page():
    return benchmark_page(result(), parts())


@pytest.fixture(scope="module")
def outline(page):
    return Outline(page)


def test_every_element_is_closed(outline):
    assert outline.open == []


def test_it_is_self_contained(page, outline):
    assert_self_contained(page, outline)


def test_it_is_accessible(outline):
    assert_accessible(outline)


def test_links_have_targets(outline):
    names = Counter(attributes["id"] for _, attributes in outline.elements if "id" in attributes)
    assert max(names.values()) == 1
    targets = [link["href"] for link in outline.all("a")]
    assert targets
    assert all(target[0] == "#" and target[1:] in names for target in targets)


def test_the_figures_and_tables_of_the_paper_are_present(outline):
    names = {attributes["id"] for _, attributes in outline.elements if "id" in attributes}
    assert {"figure-1", "figure-2", "figure-3a", "figure-3b", "means", "volume-fractions"} <= names
    # None of the synthetic structures has three or four lines.
    assert {"table-1", "table-2", "table-5", "table-6", "table-7"} <= names


def test_the_tables_have_the_values(outline):
    assert ["paper, as published", "100", "98 %", "63 %", "17 %", "–", "–"] in outline.rows
    assert ["PCA (3)", "8", "75.0 %", "62.5 %", "1.2346 %", "0.500", "0.750"] in outline.rows
    assert ["matvae (3)", "8", "75.0 %", "87.5 %", "1.2346 %", "0.062", "0.125"] in outline.rows
    assert ["2", "4", "75.0 %", "62.5 %", "1.2346 %", "0.500"] in outline.rows
    assert ["lines of the original", "0", "1", "2", "3", "4", "5", "6 or more"] in outline.rows
    assert ["1", "0", "3", "1", "0", "0", "0", "0"] in outline.rows


def test_examples_state_why_they_are_shown_and_whether_they_are_right(outline):
    rows = [row for row in outline.rows if row and row[0].startswith("number")]
    assert [row[0] for row in rows] == [
        "number 0,drawn at random",
        "number 3,largest error",
        "number 1,drawn at random",
        "number 2,smallest error",
    ]
    assert rows[0][1:] == [
        "1 horizontal, 0 vertical",
        "0 horizontal, 0 vertical: number wrong",
        "",
        "relative error 0.250",
    ]
    assert rows[2][2] == "1 horizontal, 1 vertical: number right"


def test_neighbours_are_listed_with_their_distances(outline):
    rows = [row for row in outline.rows if row and row[0].startswith("by ")]
    # Tables 5 and 6 have two queries each, table 7 two for each distance.
    assert len(rows) == 8
    assert rows[0] == ["by imagesheld-out structure 0", "", "MSE 0number 7", "MSE 0.5number 8"]
    assert rows[-1][2:] == ["MSE 0.12number 9", "MSE 0.25number 11"]


def test_settings_notes_and_commands_are_shown(page, outline):
    assert "A &lt;note&gt; &amp; more." in page
    for command in result()["commands"].values():
        assert f"<code>{command}</code>" in page
    assert ["beta", "0.0001"] in outline.rows
    assert ["weights of the model", "1,234,567"] in outline.rows
    assert ["version of torch", "2.13.0"] in outline.rows
    assert "covered in 25 % of the originals, in 50 % of the reconstructions as decoded, and in 38 % of" in page


def test_without_notes_there_is_no_empty_box(monkeypatch):
    # Rendering the figures takes seconds.
    monkeypatch.setattr(lines, "embed_figure", lambda figure: "data:image/png;base64,")
    assert "Before you read on" not in benchmark_page({**result(), "notes": []}, parts())
