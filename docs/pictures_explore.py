"""Take the pictures of the explorer with Chromium, and print how long the page takes to follow a drag.

Run `python docs/pictures_explore.py` in the checkout. It fits a model of an alloy, which takes seconds, and makes a
thorough search, which takes a minute or two.
"""

from __future__ import annotations

import io
import shutil
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import uvicorn
from PIL import Image
from playwright.sync_api import sync_playwright
from screenshots import DENSITY, save_small, side_by_side

from matvae import StatsVAETransformer, load_pretrained, open_structures
from matvae.data import windows
from matvae.explore import Explorer
from matvae.explore.server import application, listen
from matvae.jobs import make_dataset

IMAGES = Path(__file__).parent / "images"
REALIZED = "body[data-kind=realization]"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": DENSITY}
MINUTES = 60_000


def main() -> None:
    """Fit, serve, take the pictures, drag."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        make_dataset("alloy", Path(folder) / "alloy.zarr")
        alloy = open_structures(Path(folder) / "alloy.zarr")
        model = StatsVAETransformer(n_components=5, periodic=False, cutoff=32, random_state=0)
        model.fit(windows(alloy, 64, stride=8))
        image = Path(folder) / "alloy.npy"
        np.save(image, alloy.data[0].compute())
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with serving(Explorer(model, name="alloy.matvae", location="alloy.matvae")) as url:
            take_desktop(opened(browser, url, viewport={"width": 1300, "height": 900}), image)
            phones = [opened(browser, url, color_scheme=scheme, **PHONE) for scheme in ("light", "dark")]
            pictures = [picture(phone.screenshot()) for phone in phones]
            save_small(side_by_side(pictures, 20), IMAGES / "explore-phone.png")
        with serving(Explorer(load_pretrained("berea"), name="berea.matvae")) as url:
            take_volume(opened(browser, url, viewport={"width": 1300, "height": 900}, color_scheme="dark"))
        browser.close()


@contextmanager
def serving(explorer: Explorer) -> Iterator[str]:
    """Serve a page, and return its address."""
    listener, address = listen("127.0.0.1", 0)
    config = uvicorn.Config(application(explorer, address), lifespan="off", ws="none", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield address.url
    finally:
        server.should_exit = True
        thread.join()


def opened(browser, url: str, **options):
    """Open a page, and wait until its first structure is realized."""
    page = browser.new_page(**options)
    page.goto(url)
    page.wait_for_selector(REALIZED, timeout=2 * MINUTES)
    return page


def take_desktop(page, image: Path) -> None:
    """Drop an image, take its window from elsewhere, search for structures, and take the picture of the whole page."""
    print(drag(page))
    page.wait_for_selector(REALIZED, timeout=2 * MINUTES)
    page.set_input_files("#file", str(image))
    page.wait_for_selector("#own figure", timeout=2 * MINUTES)
    for axis, corner in enumerate((19, 96)):
        page.fill(f"#corner{axis}", str(corner))
        page.press(f"#corner{axis}", "Enter")
        page.wait_for_timeout(1000)
    for number, target in ((0, 0.84), (1, 0.12)):
        page.eval_on_selector(f"#t{number}", SLIDE, target)
    page.fill("#n-candidates", "3")
    page.click("#search")
    page.wait_for_selector("#search-running", timeout=MINUTES)
    print("while a search runs, " + drag(page))
    page.keyboard.press("Control+z")
    page.wait_for_selector("#candidates table", timeout=10 * MINUTES)
    page.wait_for_selector(REALIZED, timeout=2 * MINUTES)
    take(page, "explore.png")


SLIDE = "(s, v) => { s.value = v; s.dispatchEvent(new Event('input')); }"


def take_volume(page) -> None:
    """Open the surface of a volume, and take the picture of the whole page."""
    page.click("#surface summary")
    page.wait_for_selector("#surface-view canvas[data-view]", timeout=MINUTES)
    take(page, "explore-dark.png")


def take(page, name: str) -> None:
    """Take the picture of a whole page."""
    page.mouse.move(5, 5)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.wait_for_timeout(1000)
    save_small(picture(page.screenshot(full_page=True)), IMAGES / name)


def drag(page) -> str:
    """Move the first slider in 40 steps, and return how long the picture takes to follow."""
    page.locator("#z0").scroll_into_view_if_needed()
    box = page.locator("#z0").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    times = []
    for step in range(40):
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.01 * step), middle)
        page.wait_for_timeout(150)
        times.append(int(page.evaluate("document.body.dataset.milliseconds")))
    page.mouse.up()
    return f"drag to picture: median {statistics.median(times)} ms, at most {max(times)} ms"


def picture(content: bytes) -> Image.Image:
    """Open a picture that is in memory."""
    return Image.open(io.BytesIO(content))


if __name__ == "__main__":
    main()
