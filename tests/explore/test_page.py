"""The page in a real browser: Chromium without a screen, driven by Playwright."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
import zipfile

import numpy as np
import pytest

from matvae.explore.server import application, listen

from .conftest import textures
from .test_dropped import npy, png

SECONDS = 1000


@pytest.fixture(scope="module")
def chromium():
    found = os.environ.get("MATVAE_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    playwright = pytest.importorskip("playwright.sync_api", reason="The page is tested with Playwright (extra dev).")
    pytest.importorskip("uvicorn", reason="The explorer needs the extra explore.")
    if found is None:
        pytest.skip("There is no Chromium; install one, or name it with MATVAE_CHROMIUM, to test the page as well.")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def serving():
    """Serve an explorer in a thread; returns the address of its page, and a way to stop the server."""
    import uvicorn

    running = []

    def start(explorer, port=0):
        listener, address = listen("127.0.0.1", port)
        config = uvicorn.Config(application(explorer, address), log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()

        def stop():
            server.force_exit = server.should_exit = True
            thread.join(20)
            listener.close()

        running.append(stop)
        return address.url, stop

    yield start
    for stop in running:
        stop()


@pytest.fixture
def open_page(chromium, serving, explorer):
    """Open the page; whatever it prints to the console is an error at the end."""
    messages, contexts = [], []

    def opened(subject=None, *, path="", expect_realization=True, width=1300, scheme="light", url=None):
        if url is None:
            url, _ = serving(subject or explorer)
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(url + path)
        page.wait_for_selector("body[data-kind]", timeout=60 * SECONDS)
        if expect_realization:
            realized(page)
        return page

    opened.messages = messages
    yield opened
    for context in contexts:
        context.close()
    assert messages == []


def realized(page):
    page.wait_for_selector("body[data-kind=realization]", timeout=60 * SECONDS)


def until(page, condition, timeout=30 * SECONDS):
    """Wait for a condition; Playwright's own way would need scripts from strings, which the page forbids."""
    end = time.monotonic() + timeout / SECONDS
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(30)


def picture(page, selector="#structures canvas"):
    return page.eval_on_selector(selector, "c => c.toDataURL()")


def drag(page, number, to):
    """Drag a slider with the mouse from where it is, in ten steps."""
    box = page.locator(f"#z{number}").bounding_box()
    low, high, value = (float(page.eval_on_selector(f"#z{number}", f"s => s.{n}")) for n in ("min", "max", "value"))
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8 + (box["width"] - 16) * (value - low) / (high - low), y)
    page.mouse.down()
    page.mouse.move(box["x"] + 8 + (box["width"] - 16) * to, y, steps=10)


def test_dragging_changes_the_picture_at_once_and_releasing_realizes_it(open_page):
    page = open_page()
    before, text = picture(page), page.inner_text("#z0-text")
    previews = int(page.evaluate("document.body.dataset.previews"))
    drag(page, 0, 0.9)
    until(page, f"Number(document.body.dataset.previews) > {previews}")
    assert page.evaluate("document.body.dataset.kind") == "preview"
    assert "Preview" in page.inner_text("#kind")
    assert picture(page) != before
    assert page.inner_text("#z0-text") != text
    page.mouse.up()
    realized(page)
    assert re.search(r"Realization of 16 × 16 voxels; its statistics differ .* by [\d.]+ %", page.inner_text("#kind"))
    assert page.inner_text("#realized-0") != "–"


def test_undo_redo_and_links_lead_to_states(open_page, serving, explorer):
    url, _ = serving(explorer)
    page = open_page(url=url)
    start = page.evaluate("location.hash")
    assert page.is_disabled("#undo")
    page.focus("#z1")
    page.keyboard.press("ArrowRight")
    moved = page.evaluate("location.hash")
    assert moved != start
    page.keyboard.press("Control+z")
    assert page.evaluate("location.hash") == start
    page.click("#redo")
    assert page.evaluate("location.hash") == moved
    realized(page)
    shown = picture(page)
    # Another tab at the same address shows the same, and moving there changes nothing here.
    other = open_page(url=url, path=moved)
    assert picture(other) == shown
    drag(other, 0, 0.1)
    other.mouse.up()
    assert page.evaluate("location.hash") == moved
    assert picture(page) == shown


def test_links_of_other_models_and_other_text_start_at_the_centre(open_page):
    page = open_page(path="#z=1,2&seed=x&n=999&shape=a")
    assert "that of another model" in page.inner_text("#problem")
    page = open_page(path="#<script>alert(1)</script>")
    assert page.inner_text("#problem") == ""
    page = open_page(path="#z=0,0,0&seed=-4&n=2&shape=16,bad")
    assert page.locator("#structures canvas").count() == 2


def test_bookmarks_are_kept_and_lead_back(open_page, serving, explorer):
    page = open_page()
    there = page.evaluate("location.hash")
    page.click("#bookmark")
    page.focus("#z0")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("location.hash") != there
    page.reload()
    page.wait_for_selector("#bookmarks a")
    page.click("#bookmarks a")
    until(page, f"location.hash === '{there}'")
    page.click("#bookmarks button")
    assert page.locator("#bookmarks li").count() == 0


def test_a_click_on_the_map_goes_there(open_page, explorer):
    page = open_page()
    box = page.locator("#map").bounding_box()
    page.locator("#map").click(position={"x": box["width"] * 0.97, "y": box["height"] * 0.03})
    latent = [float(v) for v in re.search(r"z=([^&]*)", page.evaluate("location.hash"))[1].split(",")]
    ranges = [(c["low"], c["high"]) for c in explorer.describe()["components"]]
    assert latent[0] > ranges[0][0] + 0.9 * (ranges[0][1] - ranges[0][0])
    assert latent[1] > ranges[1][0] + 0.9 * (ranges[1][1] - ranges[1][0])
    page.fill("#number", "3")
    page.click("#go")
    latent = [float(v) for v in re.search(r"z=([^&]*)", page.evaluate("location.hash"))[1].split(",")]
    assert latent == pytest.approx(explorer.known.latents[3].tolist(), rel=1e-4)


def test_several_realizations_of_another_size_are_shown_and_exported(open_page):
    page = open_page()
    page.fill("#count", "3")
    page.press("#count", "Tab")
    page.fill("#size", "20, 24")
    page.press("#size", "Tab")
    until(page, "document.querySelectorAll('#structures canvas').length === 3", timeout=60 * SECONDS)
    assert page.eval_on_selector("#structures canvas", "c => [c.width, c.height]") == [24, 20]
    page.select_option("#format", label="vti (.vti)")
    with page.expect_download(timeout=60 * SECONDS) as waited:
        page.click("#export")
    download = waited.value
    assert download.suggested_filename == "structures-vti.zip"
    names = zipfile.ZipFile(download.path()).namelist()
    assert len(names) == 3
    page.select_option("#format", label="npy (.npy)")
    with page.expect_download() as waited:
        page.click("#export")
    exported = np.load(waited.value.path())
    assert exported.shape == (3, 20, 24)


def drop(page, name, content):
    """Drop a file on the page, as the pointer would."""
    page.evaluate(
        """([name, bytes]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], name));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        [name, list(content)],
    )


def test_a_dropped_image_is_put_beside_its_reconstruction_with_a_score(open_page):
    page = open_page()
    window = textures(1, 3)[0]
    drop(page, "mine <b>.png", png(255 * window))
    page.wait_for_selector("#own figure")
    text = page.inner_text("#own-text")
    assert text.startswith("mine <b>.png: the decoded statistics miss those of the image by")
    assert re.search(r"Out-of-distribution score \d", text)
    assert "The values 0, 255" in text
    dark = page.eval_on_selector(
        "#own canvas",
        """c => Array.from(c.getContext("2d").getImageData(0, 0, 16, 16).data)
          .filter((v, k) => k % 4 === 0 && v < 100).length""",
    )
    assert dark == window.sum()
    realized(page)
    until(page, "document.getElementById('own-caption').textContent === 'its reconstruction'")
    assert picture(page, "#own-reconstruction") == picture(page)
    own = picture(page, "#own-reconstruction")
    page.focus("#z0")
    page.keyboard.press("PageUp")
    assert picture(page, "#own-reconstruction") == own


def test_files_of_no_use_are_refused_in_words(open_page):
    page = open_page()
    there = page.evaluate("location.hash")
    for name, content in (("text.png", b"hello"), ("small.npy", npy(np.eye(4, dtype=np.uint8))), ("x", b"")):
        drop(page, name, content)
        until(page, f"document.getElementById('own-text').textContent.startsWith('{name}: ')")
    assert page.evaluate("location.hash") == there
    # The browser itself reports refused requests on its console.
    assert len(open_page.messages) == 3
    assert all("400 (Bad Request)" in message for message in open_page.messages)
    open_page.messages.clear()


def test_a_target_starts_a_design(open_page):
    page = open_page()
    page.click("#design")
    assert "at least one" in page.inner_text("#design-note")
    page.check("#t0-on")
    page.click("#design")
    page.wait_for_selector("#design-note code", timeout=60 * SECONDS)
    assert "Predicted to be reached." in page.inner_text("#design-note")
    target = float(page.inner_text("#t0-text"))
    until(page, f"Math.abs(Number(document.getElementById('predicted-0').textContent) - {target}) < 0.01")


def test_a_killed_server_is_said_and_the_page_goes_on_when_it_is_back(open_page, serving, explorer):
    url, stop = serving(explorer)
    page = open_page(url=url)
    stop()
    page.focus("#z0")
    page.keyboard.press("ArrowRight")
    until(page, "document.getElementById('problem').textContent.includes('does not answer')")
    there = page.evaluate("location.hash")
    serving(explorer, port=int(re.search(r":(\d+)", url)[1]))
    until(page, "document.getElementById('problem').textContent === ''", timeout=20 * SECONDS)
    realized(page)
    assert page.evaluate("location.hash") == there
    open_page.messages.clear()


def test_a_model_without_known_structures_has_sliders_of_the_prior(open_page, layout_explorer):
    page = open_page(layout_explorer)
    assert page.get_attribute("#z0", "min") == "-3"
    before = picture(page)
    drag(page, 0, 0.95)
    page.mouse.up()
    realized(page)
    assert page.is_disabled("#go")
    assert isinstance(before, str)


def test_volumes_have_sections_and_a_surface_that_rotates(open_page, volume_explorer):
    page = open_page(volume_explorer)
    first = picture(page)
    page.focus("#depth")
    page.keyboard.press("Home")
    assert page.inner_text("#depth-text") == "1 of 8"
    assert picture(page) != first
    page.select_option("#axis", label="x")
    assert page.eval_on_selector("#structures canvas", "c => [c.width, c.height]") == [9, 8]
    page.click("#surface summary")
    page.wait_for_selector("#surface-view canvas[data-view]")
    view = page.get_attribute("#surface-view canvas", "data-view")
    page.focus("#surface-view canvas")
    page.keyboard.press("ArrowLeft")
    until(page, f"document.querySelector('#surface-view canvas').dataset.view !== '{view}'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 390])
def test_accessibility_rules_are_kept(open_page, volume_explorer, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is in the extra dev.")
    page = open_page(volume_explorer, scheme=scheme, width=width)
    page.click("#surface summary")
    page.click("#bookmark")
    drop(page, "small.npy", npy(np.zeros((8, 9, 9), np.uint8)))
    page.wait_for_selector("#own figure")
    results = axe.Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
