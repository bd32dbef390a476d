"""The page of a report in Chromium: accessibility rules, phone width, dark mode, no errors, and no requests."""

from __future__ import annotations

import pytest

from matvae.report import report_page

from .report_parts import parts


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Addresses of a report on images and of one on volumes."""
    folder = tmp_path_factory.mktemp("pages")
    for name, shape in (("images", (8, 8)), ("volumes", (8, 8, 8))):
        (folder / f"{name}.html").write_text(report_page(parts(shape)), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in ("images", "volumes")}


@pytest.fixture(params=["images", "volumes"])
def open_page(chromium, pages, request):
    """Open the page; whatever it prints to the console or requests is an error at the end."""
    messages, requests, contexts = [], [], []

    def opened(width, scheme):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda sent: requests.append(sent.url))
        page.goto(pages[request.param])
        return page

    yield opened
    for context in contexts:
        context.close()
    assert messages == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 390])
def test_accessibility_rules_are_kept(open_page, check_accessibility, scheme, width):
    check_accessibility(open_page(width, scheme))


@pytest.mark.parametrize("width", [1300, 390])
def test_the_page_itself_does_not_scroll_sideways(open_page, width):
    page = open_page(width, "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_follows_the_mode_of_the_system(open_page):
    brightness = "Number(getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0])"
    assert open_page(1300, "light").evaluate(brightness) > 200
    assert open_page(1300, "dark").evaluate(brightness) < 60
