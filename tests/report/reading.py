"""Helpers that read the contents of a page from its HTML, and data from its URIs."""

from __future__ import annotations

import base64
import csv
import io
import re
from html.parser import HTMLParser
from itertools import pairwise


class Outline(HTMLParser):
    """Elements with their attributes, the elements still open, the text, and table cells row by row."""

    def __init__(self, html):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data.strip()

    def all(self, tag):
        """Attributes of all elements of one kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def blocks(panel, kind):
    """Blocks of one kind in a panel."""
    return [block for block in panel.content if isinstance(block, kind)]


def csv_rows(download):
    """Rows of the CSV file of a download."""
    head, _, body = download.uri.partition(",")
    assert head == "data:text/csv;charset=utf-8;base64"
    return list(csv.reader(io.StringIO(base64.b64decode(body, validate=True).decode())))


def assert_self_contained(html, outline):
    """Assert that the page loads nothing from elsewhere."""
    assert all(image["src"].startswith("data:image/png;base64,") for image in outline.all("img"))
    assert not re.search(r"https?://|@import|url\(", html)
    assert not outline.all("link")
    assert not any("src" in script for script in outline.all("script"))


def assert_accessible(outline):
    """Assert that the page is labelled for screen readers, and that headings skip no level."""
    assert outline.all("html")[0]["lang"] == "en"
    assert all(len(image["alt"]) > 10 for image in outline.all("img"))
    assert all(cell["scope"] in ("col", "row") for cell in outline.all("th"))
    assert len(outline.all("caption")) == len(outline.all("table"))
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
