"""What the browser tests do with a page: wait, look, drag."""

from __future__ import annotations

import time

SECONDS = 1000


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
