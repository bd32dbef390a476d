"""What a page holds, read from its HTML, and numbers from its data URIs."""

from __future__ import annotations

import base64
import csv
import io
from html.parser import HTMLParser


class Outline(HTMLParser):
    """Elements with their attributes, and which of them are still open."""

    def __init__(self, text):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def rows_of(data):
    """Rows of a table that is to be saved."""
    head, _, body = data.uri.partition(",")
    assert head == "data:text/csv;charset=utf-8;base64"
    return list(csv.reader(io.StringIO(base64.b64decode(body, validate=True).decode())))
