"""Pictures of pages in headless Chromium, for the scripts that draw figures of the documentation."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

# Pixels of a picture per pixel of the page.
DENSITY = 2


@contextmanager
def chromium() -> Iterator[Any]:
    """Chromium without a screen, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser: Any, file: Path, width: int, *, scheme: str = "light") -> Any:
    """Open a page that loads nothing from elsewhere, in a window of this width, in a light or a dark mode."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, device_scale_factor=DENSITY)
    page.route("http**", lambda route: route.abort())
    page.goto(file.resolve().as_uri())
    return page


def taken(page: Any, start: float, end: float) -> Image.Image:
    """Take a picture of a page over its whole width, from one height to another."""
    clip = {"x": 0, "y": start, "width": page.viewport_size["width"], "height": end - start}
    return Image.open(io.BytesIO(page.screenshot(clip=clip, full_page=True)))


def side_by_side(pictures: list[Image.Image], gap: int) -> Image.Image:
    """Put pictures of equal size beside each other."""
    width, height = pictures[0].size
    both = Image.new("RGB", (len(pictures) * (width + DENSITY * gap) - DENSITY * gap, height), "white")
    for i, picture in enumerate(pictures):
        both.paste(picture, (i * (width + DENSITY * gap), 0))
    return both


def save_small(picture: Image.Image, path: Path) -> None:
    """Save a picture with the palette of 256 colours that fits best, which more than halves the size of the file."""
    options = {"method": Image.Quantize.MAXCOVERAGE, "kmeans": 5, "dither": Image.Dither.NONE}
    picture.convert("RGB").quantize(256, **options).save(path, optimize=True)


def shrink(path: Path) -> None:
    """Save the picture of a file again with a palette."""
    save_small(Image.open(path), path)
