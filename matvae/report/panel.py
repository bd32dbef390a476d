"""What one part of a report holds: a sentence on what good looks like, pictures, tables, data."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .volume import Volume


@dataclass(frozen=True)
class Figure:
    """A picture.

    Parameters
    ----------
    name : str
        Its place in the page, and the file that it is saved as.
    uri : str
        Data URI.
    alt : str
        What is seen, for those who do not see it.
    title, caption : str
    """

    name: str
    uri: str
    alt: str
    title: str
    caption: str


@dataclass(frozen=True)
class Table:
    """A table of texts; the first cell of a row is its heading. A folded one is opened by those who want to see it."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str
    folded: bool = False


@dataclass(frozen=True)
class Data:
    """A table of numbers to be saved.

    Parameters
    ----------
    name : str
        File name.
    uri : str
        Data URI of the CSV text.
    """

    name: str
    uri: str


@dataclass(frozen=True)
class Panel:
    """One part of a report.

    Parameters
    ----------
    name : str
        Its place in the page.
    title : str
    good : str
        What good looks like, in a sentence.
    text : sequence of str
        Paragraphs.
    figures, tables, data, volumes
        What is shown, in this order.
    left_out : str, optional
        Why there is nothing to show.
    """

    name: str
    title: str
    good: str
    text: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    data: Sequence[Data] = ()
    volumes: Sequence[Volume] = ()
    left_out: str | None = None


def csv_data(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Data:
    """A table to be saved as CSV; of numbers nine digits are kept."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([f"{cell:.9g}" if isinstance(cell, float) else cell for cell in row] for row in rows)
    encoded = base64.b64encode(text.getvalue().encode()).decode("ascii")
    return Data(name, f"data:text/csv;charset=utf-8;base64,{encoded}")
