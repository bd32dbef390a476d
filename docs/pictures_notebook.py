"""Draw the figure on notebooks: ``python docs/pictures_notebook.py``, after ``make docs``; it needs chromium."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image
from screenshots import save_small, screenshot

DOCS = Path(__file__).parent
PAGE = DOCS.parent / "build" / "docs" / "notebooks" / "inverse-design.html"
# The body of the page, down to the bar that follows the fit.
BODY, TOP, BOTTOM = (320, 1170), 176, 1085


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        picture = screenshot(PAGE, Path(scratch), width=1280, height=BOTTOM)
        save_small(Image.open(picture).crop((BODY[0], TOP, BODY[1], BOTTOM)), DOCS / "images" / "notebook.png")


if __name__ == "__main__":
    main()
