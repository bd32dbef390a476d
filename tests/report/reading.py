"""What a page holds, read from its HTML, and numbers from its data URIs."""

from __future__ import annotations

import base64
import csv
import io
import re
from html.parser import HTMLParser
from itertools import pairwise


class Outline(HTMLParser):
    """Elements with their attributes, which of them are still open, and the text of cells row by row."""

    def __init__(self, text):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
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
        return [attributes for name, attributes in self.found if name == tag]


def rows_of(data):
    """Rows of a table that is to be saved."""
    head, _, body = data.uri.partition(",")
    assert head == "data:text/csv;charset=utf-8;base64"
    return list(csv.reader(io.StringIO(base64.b64decode(body, validate=True).decode())))


def assert_one_file(page, outline):
    """Nothing is fetched from anywhere."""
    assert all(one["src"].startswith("data:image/png;base64,") for one in outline.all("img"))
    assert not re.search(r"https?://|@import|url\(", page)
    assert not outline.all("link")
    assert not any("src" in one for one in outline.all("script"))


def assert_readable_without_seeing_it(outline):
    """What a screen reader needs is there, and headings leave out no level."""
    assert outline.all("html")[0]["lang"] == "en"
    assert all(len(one["alt"]) > 10 for one in outline.all("img"))
    assert all(one["scope"] in ("col", "row") for one in outline.all("th"))
    assert len(outline.all("caption")) == len(outline.all("table"))
    levels = [int(tag[1]) for tag, _ in outline.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
