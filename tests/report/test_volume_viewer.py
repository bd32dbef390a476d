"""Volumes in a browser: drawn as geometry says, turned by pointer and keys, without errors and without a network."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import time
import urllib.request
from dataclasses import replace

import numpy as np
import pytest

from matvae import Grid
from matvae.report import page
from matvae.report.panel import Panel
from matvae.report.volume import pack_volume

DRIVER = shutil.which("chromedriver")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars")
SHAPE, SIZE = (4, 5, 6), (1.0, 2.0, 0.5)
LEFT, UP, HOME = "\ue012", "\ue013", "\ue011"

pytestmark = pytest.mark.skipif(DRIVER is None, reason="chromedriver is not installed")


class Browser:
    """One page in Chromium, by the WebDriver protocol."""

    def __init__(self, base, folder):
        arguments = [*OPTIONS, f"--user-data-dir={folder}", "--window-size=1000,1000"]
        wanted = {"goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": arguments}}
        self.base = base
        made = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.base = f"{base}/session/{made['sessionId']}"

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.base + path, method=method, data=data, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def run(self, script):
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def canvas(self):
        return self.call("POST", "/element", {"using": "css selector", "value": "canvas"})

    def keys(self, text):
        (number,) = self.canvas().values()
        self.call("POST", f"/element/{number}/value", {"text": text})

    def view(self):
        """Turn, tilt and zoom of the first volume, once it rests."""
        time.sleep(0.6)
        return [float(value) for value in self.run("return document.querySelector('canvas').dataset.view").split(",")]

    def picture(self, n=0):
        return self.run(f"return document.querySelectorAll('canvas')[{n}].toDataURL()")

    def share(self, n):
        """Part of the pixels of volume n that are not white."""
        # Of a copy: reading the canvas itself again and again makes the browser warn.
        return self.run(
            f"const c = document.querySelectorAll('canvas')[{n}], copy = new OffscreenCanvas(c.width, c.height);"
            "const context = copy.getContext('2d', {willReadFrequently: true}); context.drawImage(c, 0, 0);"
            "const d = context.getImageData(0, 0, c.width, c.height).data; let k = 0;"
            "for (let i = 0; i < d.length; i += 4) k += d[i] + d[i + 1] + d[i + 2] < 765;"
            "return 4 * k / d.length;"
        )


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A page of three volumes: a full box, an empty one, and two phases side by side."""
    folder = tmp_path_factory.mktemp("viewer")
    grid = Grid(SHAPE, voxel_size=SIZE, unit="nanometer")
    halves = np.ones(SHAPE, dtype=np.uint8)
    halves[:, :, 3:] = 2
    volumes = [
        pack_volume(np.ones(SHAPE, dtype=np.uint8), "full", grid=grid),
        pack_volume(np.zeros(SHAPE, dtype=np.uint8), "empty", grid=grid),
        pack_volume(halves, "halves", grid=replace(grid, phases=3)),
    ]
    values = {"title": "a", "version": "0", "notes": [], "n_samples": 1, "n_components": 1, "error": "0 %"}
    panels = [Panel("volumes", "Volumes", "these.", volumes=volumes)]
    (folder / "a.html").write_text(page.render_page("report.html.jinja", panels=panels, **values), encoding="utf-8")
    driver = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = next(found[1] for line in driver.stdout if (found := re.search(r"successfully on port (\d+)", line)))
        opened = Browser(f"http://127.0.0.1:{port}", folder / "profile")
        opened.call("POST", "/url", {"url": (folder / "a.html").as_uri()})
        yield opened
        opened.call("DELETE", "")
    finally:
        driver.terminate()
        driver.wait(timeout=30)


def shadow(turn, tilt):
    """Area of a box seen from afar, as part of a square with the box's diagonal as its side."""
    z, y, x = (n * size for n, size in zip(SHAPE, SIZE, strict=True))
    ahead = (math.cos(tilt) * math.cos(turn), math.cos(tilt) * math.sin(turn), math.sin(tilt))
    return sum(abs(a) * area for a, area in zip(ahead, (y * z, x * z, x * y), strict=True)) / (x * x + y * y + z * z)


def test_a_box_is_as_large_as_its_shadow(browser):
    browser.keys(HOME)
    turn, tilt, _ = browser.view()
    assert browser.share(0) == pytest.approx(shadow(turn, tilt), rel=0.02)
    assert browser.share(1) == 0
    assert browser.share(2) == pytest.approx(browser.share(0))


def test_keys_and_pointer_turn_it_and_home_puts_it_back(browser):
    browser.keys(HOME)
    start, picture = browser.view(), browser.picture()
    browser.keys(LEFT + LEFT + UP + "-")
    turn, tilt, zoom = browser.view()
    assert (turn, tilt, zoom) == pytest.approx((start[0] - 0.3, start[1] + 0.15, 1 / 1.15), abs=1e-3)
    assert browser.share(0) == pytest.approx(shadow(turn, tilt) / 1.15**2, rel=0.02)
    pointer = [
        {"type": "pointerMove", "origin": browser.canvas(), "x": 0, "y": 0},
        {"type": "pointerDown", "button": 0},
        {"type": "pointerMove", "origin": "pointer", "x": 40, "y": 20},
        {"type": "pointerUp", "button": 0},
    ]
    mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": pointer}
    browser.call("POST", "/actions", {"actions": [mouse]})
    dragged = browser.view()
    assert dragged[:2] == pytest.approx([turn - 0.4, tilt + 0.2], abs=1e-3)
    browser.keys(HOME)
    assert browser.view() == start
    assert browser.picture() == picture


def test_buttons_turn_it_for_those_without_keys(browser):
    browser.keys(HOME)
    start = browser.view()
    browser.run("document.querySelector('figure button').click()")
    assert browser.view()[0] == pytest.approx(start[0] - 0.15, abs=1e-3)


def test_a_single_phase_can_be_shown(browser):
    before = browser.share(2)
    browser.run("const s = document.querySelector('select'); s.value = '2'; s.dispatchEvent(new Event('change'));")
    time.sleep(0.6)
    assert 0 < browser.share(2) < before


def test_nothing_went_wrong_and_nothing_was_fetched(browser):
    assert browser.call("POST", "/se/log", {"type": "browser"}) == []
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
