"""Building blocks of a page: a page has panels, and a panel has paragraphs, figures, tables and downloads."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .style import DENSITY
from .volume import Volume


@dataclass(frozen=True)
class Figure:
    """A figure with a caption.

    Parameters
    ----------
    name : str
        Its id in the page, and the name of the file it is saved as.
    uri : str
        Data URI of the image.
    alt : str
        Description for readers who cannot see the image.
    title, caption : str
    """

    kind: ClassVar = "figure"
    name: str
    uri: str
    alt: str
    title: str
    caption: str

    @property
    def width(self) -> int | None:
        """Pixels of the page across which its text has its size: see `embed_figure`; None for an image of others."""
        start = "data:image/png;base64,"
        # The header of a PNG file holds the width in its bytes 16 to 19.
        header = base64.b64decode(self.uri[len(start) : len(start) + 32]) if self.uri.startswith(start) else b""
        return int.from_bytes(header[16:20], "big") // DENSITY or None


@dataclass(frozen=True)
class Table:
    """A table of text; the first cell of a row is its heading. A folded table opens on demand."""

    kind: ClassVar = "table"
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str
    folded: bool = False


@dataclass(frozen=True)
class Picture:
    """An image in a table of pictures: data URI, description, and the lines of text below it."""

    uri: str
    alt: str
    text: str = ""


@dataclass(frozen=True)
class PictureTable:
    """A table of pictures: each row has a heading, which may have several lines, and pictures."""

    kind: ClassVar = "picture_table"
    name: str
    header: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Picture]]]
    caption: str


@dataclass(frozen=True)
class VolumeGroup:
    """Volumes next to each other, each of which can be rotated."""

    kind: ClassVar = "volume_group"
    volumes: Sequence[Volume]


@dataclass(frozen=True)
class Definitions:
    """Terms and their definitions."""

    kind: ClassVar = "definitions"
    entries: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Command:
    """A command line to copy."""

    kind: ClassVar = "command"
    text: str


@dataclass(frozen=True)
class Remark:
    """A less prominent paragraph, such as the reason why a panel is empty."""

    kind: ClassVar = "remark"
    text: str


@dataclass(frozen=True)
class Download:
    """A file to save: its name and data URI."""

    kind: ClassVar = "download"
    name: str
    uri: str


Block = str | Figure | Table | PictureTable | VolumeGroup | Definitions | Command | Remark | Download


@dataclass(frozen=True)
class Panel:
    """A section of a page.

    Parameters
    ----------
    name : str
        Its id in the page.
    title : str
        Heading.
    content : sequence of blocks
        In reading order: strings, which are paragraphs, and `Figure`, `Table`, `PictureTable`, `VolumeGroup`,
        `Definitions`, `Command`, `Remark` and `Download`.
    good : str, optional
        A sentence on what good results look like.
    """

    name: str
    title: str
    content: Sequence[Block]
    good: str | None = None


@dataclass(frozen=True)
class Page:
    """A page. Text between backticks is set as code wherever a sentence is expected.

    Parameters
    ----------
    title : str
    lead : str
        Opening paragraph.
    panels : sequence of Panel
    version : str
        Version of matvae.
    notes : sequence of str
        Caveats, shown in a box before the panels.
    remark : str, optional
        A less prominent paragraph after the lead.
    figures : Table, optional
        The numbers that matter most, on the first screen.
    next_steps : sequence of str
        What to do next, on the first screen.
    """

    title: str
    lead: str
    panels: Sequence[Panel]
    version: str
    notes: Sequence[str] = ()
    remark: str | None = None
    figures: Table | None = None
    next_steps: Sequence[str] = ()

    @property
    def has_volumes(self) -> bool:
        """True if the page needs the viewer of volumes."""
        return any(isinstance(block, VolumeGroup) for panel in self.panels for block in panel.content)


def csv_download(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Download:
    """A table to save as CSV; floats have nine significant digits, which preserve those of single precision."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([f"{cell:.9g}" if isinstance(cell, float) else cell for cell in row] for row in rows)
    encoded = base64.b64encode(text.getvalue().encode()).decode("ascii")
    return Download(name, f"data:text/csv;charset=utf-8;base64,{encoded}")
