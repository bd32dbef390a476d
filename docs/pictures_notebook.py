"""Draw the figures on notebooks: ``python docs/pictures_notebook.py``, after ``make docs``.

An executed notebook of the gallery is exported in the light and the dark theme of JupyterLab. It needs nbconvert and
chromium.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from nbconvert import HTMLExporter
from screenshots import chromium, opened, save_small, side_by_side, taken

DOCS = Path(__file__).parent
IMAGES = DOCS / "images"
NOTEBOOK = DOCS.parent / "build" / "jupyter_execute" / "notebooks" / "inverse-design.ipynb"
# Names of the pictures by theme.
THEMES = {"light": "notebook.png", "dark": "notebook-dark.png"}
DESKTOP, PHONE, MARGIN = 840, 390, 12


def main() -> None:
    """Take pictures from the first cell to the progress of the fit; on a phone, of the first result."""
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        phones = []
        for theme, name in THEMES.items():
            file = Path(scratch) / f"{theme}.html"
            file.write_text(HTMLExporter(theme=theme).from_filename(str(NOTEBOOK))[0], encoding="utf-8")
            page = opened(browser, file, DESKTOP)
            (start, _), (_, end) = (edges(page, ".jp-CodeCell", number) for number in (0, 1))
            save_small(taken(page, start - MARGIN, end), IMAGES / name)
            page = opened(browser, file, PHONE)
            start, end = edges(page, ".jp-OutputArea", 0)
            phones.append(taken(page, start - MARGIN, end))
    save_small(side_by_side(phones, MARGIN), IMAGES / "notebook-phone.png")


def edges(page: Any, selector: str, number: int) -> tuple[float, float]:
    """Heights at which an element of the page begins and ends."""
    box = page.locator(selector).nth(number).bounding_box()
    return box["y"], box["y"] + box["height"]


if __name__ == "__main__":
    main()
