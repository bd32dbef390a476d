"""Take the pictures of the explorer with Chromium, and print how long the page takes to follow a drag.

Run `python docs/pictures_explore.py` in the checkout. It fits a model of an alloy, which takes seconds.
"""

from __future__ import annotations

import io
import shutil
import statistics
import tempfile
import threading
from pathlib import Path

import numpy as np
import uvicorn
from PIL import Image
from playwright.sync_api import sync_playwright
from screenshots import DENSITY, save_small, side_by_side

from matvae import StatsVAETransformer, open_structures
from matvae.data import windows
from matvae.explore import Explorer
from matvae.explore.server import application, listen
from matvae.jobs import make_dataset

IMAGES = Path(__file__).parent / "images"
REALIZED = "body[data-kind=realization]"


def main() -> None:
    """Fit, serve, take the pictures, drag."""
    with tempfile.TemporaryDirectory() as folder:
        make_dataset("alloy", Path(folder) / "alloy.zarr")
        alloy = open_structures(Path(folder) / "alloy.zarr")
        model = StatsVAETransformer(n_components=5, periodic=False, cutoff=32, random_state=0)
        model.fit(windows(alloy, 64, stride=8))
        image = Path(folder) / "my-alloy.png"
        Image.fromarray(255 * alloy.data[0, :200, :200].compute().astype(np.uint8)).save(image)
        listener, address = listen("127.0.0.1", 0)
        config = uvicorn.Config(
            application(Explorer(model, name="alloy.matvae"), address), lifespan="off", ws="none", log_level="error"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            take(address.url, image)
        finally:
            server.should_exit = True
            thread.join()


def take(url: str, image: Path) -> None:
    """Take the pictures of a page."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        page.wait_for_selector(REALIZED, timeout=60_000)
        print(drag(page))
        page.mouse.up()
        page.set_input_files("#file", str(image))
        page.wait_for_selector("#own figure", timeout=60_000)
        page.wait_for_selector(REALIZED, timeout=60_000)
        page.mouse.move(5, 5)
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(300)
        save_small(Image.open(io.BytesIO(page.screenshot(full_page=True))), IMAGES / "explore.png")
        phones = []
        for scheme in ("light", "dark"):
            phone = browser.new_page(
                viewport={"width": 390, "height": 844}, color_scheme=scheme, device_scale_factor=DENSITY
            )
            phone.goto(url)
            phone.wait_for_selector(REALIZED, timeout=60_000)
            phones.append(Image.open(io.BytesIO(phone.screenshot())))
        save_small(side_by_side(phones, 20), IMAGES / "explore-phone.png")
        browser.close()


def drag(page) -> str:
    """Move the first slider in 40 steps, and return how long the picture takes to follow."""
    box = page.locator("#z0").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    times = []
    for step in range(40):
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.01 * step), middle)
        page.wait_for_timeout(150)
        times.append(int(page.evaluate("document.body.dataset.milliseconds")))
    return f"drag to picture: median {statistics.median(times)} ms, at most {max(times)} ms"


if __name__ == "__main__":
    main()
