"""Pictures of pages in headless Chromium, for the scripts that draw figures of the documentation."""

from __future__ import annotations

import subprocess
from pathlib import Path

from PIL import Image

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
)


def screenshot(page: Path, folder: Path, *, width: int, height: int) -> Path:
    """Take a picture of the top of a page, in a window of this size."""
    picture = folder / f"{page.stem}-{width}.png"
    own = (f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{height}", f"--screenshot={picture}")
    subprocess.run(["chromium", *OPTIONS, *own, f"file://{page.resolve()}"], check=True)
    return picture


def save_small(picture: Image.Image, path: Path) -> None:
    """Save a picture of a page, which has few colours: a palette more than halves the size of the file."""
    picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
