"""Volumes in a browser: correct projections, rotation by pointer and keys, no errors, and no requests."""

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
from matvae.report import Page, Panel, VolumeGroup, pack_volume, render_page

DRIVER = shutil.which("chromedriver")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars")
SHAPE, SIZE = (4, 5, 6), (1.0, 2.0, 0.5)
LEFT, UP, HOME = "\ue012", "\ue013", "\ue011"

pytestmark = pytest.mark.skipif(DRIVER is None, reason="chromedriver is not installed")


class Browser:
    """A page in Chromium, controlled through the WebDriver protocol."""

    def __init__(self, base, folder):
        arguments = [*OPTIONS, f"--user-data-dir={folder}", "--window-size=1000,1000"]
        capabilities = {"goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": arguments}}
        self.base = base
        session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.base = f"{base}/session/{session['sessionId']}"

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.base + path, method=method, data=data, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.load(response)["value"]

    def run(self, script):
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def canvas(self):
        return self.call("POST", "/element", {"using": "css selector", "value": "canvas"})

    def keys(self, text):
        (number,) = self.canvas().values()
        self.call("POST", f"/element/{number}/value", {"text": text})

    def view(self):
        """Rotation, tilt and zoom of the first volume, once it is at rest."""
        time.sleep(0.6)
        return [float(value) for value in self.run("return document.querySelector('canvas').dataset.view").split(",")]

    def picture(self, n=0):
        return self.run(f"return document.querySelectorAll('canvas')[{n}].toDataURL()")

    def share(self, n):
        """Fraction of the pixels of volume n that are not white."""
        # From a copy: reading the canvas itself repeatedly makes the browser warn.
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
    page = Page("Title", "Lead.", [Panel("volumes", "Volumes", [VolumeGroup(volumes)])], version="0")
    (folder / "a.html").write_text(render_page(page), encoding="utf-8")
    driver = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = next(match[1] for line in driver.stdout if (match := re.search(r"successfully on port (\d+)", line)))
        session = Browser(f"http://127.0.0.1:{port}", folder / "profile")
        session.call("POST", "/url", {"url": (folder / "a.html").as_uri()})
        yield session
        session.call("DELETE", "")
    finally:
        driver.terminate()
        driver.wait(timeout=30)


def projection(turn, tilt):
    """Area of a box in parallel projection, relative to the square whose side is the diagonal of the box."""
    z, y, x = (n * size for n, size in zip(SHAPE, SIZE, strict=True))
    ahead = (math.cos(tilt) * math.cos(turn), math.cos(tilt) * math.sin(turn), math.sin(tilt))
    return sum(abs(a) * area for a, area in zip(ahead, (y * z, x * z, x * y), strict=True)) / (x * x + y * y + z * z)


def test_a_box_is_as_large_as_its_projection(browser):
    browser.keys(HOME)
    turn, tilt, _ = browser.view()
    assert browser.share(0) == pytest.approx(projection(turn, tilt), rel=0.02)
    assert browser.share(1) == 0
    assert browser.share(2) == pytest.approx(browser.share(0))


def test_keys_and_pointer_rotate_a_volume_and_home_resets_the_view(browser):
    browser.keys(HOME)
    start, picture = browser.view(), browser.picture()
    browser.keys(LEFT + LEFT + UP + "-")
    turn, tilt, zoom = browser.view()
    assert (turn, tilt, zoom) == pytest.approx((start[0] - 0.3, start[1] + 0.15, 1 / 1.15), abs=1e-3)
    assert browser.share(0) == pytest.approx(projection(turn, tilt) / 1.15**2, rel=0.02)
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


def test_buttons_rotate_a_volume(browser):
    browser.keys(HOME)
    start = browser.view()
    browser.run("document.querySelector('figure button').click()")
    assert browser.view()[0] == pytest.approx(start[0] - 0.15, abs=1e-3)


def test_a_single_phase_can_be_shown(browser):
    before = browser.share(2)
    browser.run("const s = document.querySelector('select'); s.value = '2'; s.dispatchEvent(new Event('change'));")
    time.sleep(0.6)
    assert 0 < browser.share(2) < before


def test_there_are_no_errors_and_no_requests(browser):
    assert browser.call("POST", "/se/log", {"type": "browser"}) == []
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
