"""The thorough search in a real browser: started, followed, cancelled, its candidates shown, its server killed."""

from __future__ import annotations

import json
import re

import pytest

from matvae.explore.explorer import Explorer

from .browser import SECONDS, drag, picture, realized, until
from .test_packed import unpack


@pytest.fixture
def own(texture_model):
    """An explorer of its own, whose search has ended when the test has."""
    explorer = Explorer(texture_model, name="rock.matvae")
    yield explorer
    explorer.searches.close()


def start(page, n, *, by_keyboard=False):
    """Start a search for the target of the first property."""
    page.check("#t0-on")
    page.fill("#n-candidates", str(n))
    if by_keyboard:
        page.focus("#search")
        page.keyboard.press("Enter")
    else:
        page.click("#search")


def note(page):
    return page.inner_text("#search-note")


def ended(page):
    until(page, "document.getElementById('candidates').firstChild !== null", timeout=120 * SECONDS)


def test_a_search_shows_its_progress_and_candidates_that_can_be_visited(open_page, own):
    page = open_page(own)
    page.evaluate(
        """() => {
          window.heard = []; window.bar = [];
          new MutationObserver(() => window.heard.push(document.getElementById("search-note").textContent))
            .observe(document.getElementById("search-note"), { childList: true });
          new MutationObserver(() => window.bar.push(document.getElementById("search-progress").value))
            .observe(document.getElementById("search-progress"), { attributes: true });
        }"""
    )
    page.click("#search")
    assert "at least one" in page.inner_text("#design-note")
    start(page, 3, by_keyboard=True)
    page.wait_for_selector("#search-running", state="visible")
    assert page.inner_text("#design-note") == ""
    until(page, "document.getElementById('search-stage').textContent.startsWith('Realizing')", timeout=60 * SECONDS)
    stage = page.inner_text("#search-stage")
    assert re.fullmatch(r"Realizing and measuring candidates: \d of 9", stage)
    assert page.eval_on_selector("#search-progress", "p => p.max") == 9
    assert "matvae optimize MODEL --goal 'volume_fraction(phase=1)=" in page.inner_text("#design-command")
    assert "-k 3 -o design.zarr" in page.inner_text("#design-command")
    ended(page)
    assert page.is_hidden("#search-running")
    assert re.match(r"The thorough search found 3 candidates in \d+ s; \d of 3 as requested\.", note(page))
    # A screen reader hears of each stage once, and of the end.
    heard = page.evaluate("window.heard")
    assert len(heard) == len(set(heard)) <= 5
    assert "Thorough search: realizing and measuring candidates." in heard
    assert len(set(page.evaluate("window.bar"))) > 2
    target = float(page.input_value("#t0"))
    for k in range(3):
        cells = page.locator("#candidates tbody").nth(k).locator("td").all_inner_texts()
        assert float(cells[0]) == pytest.approx(target, rel=5e-3)
        assert re.fullmatch(r"[\d.]+ ± [\d.]+", cells[2])
    page.focus("#candidates tbody:nth-of-type(2) button")
    page.keyboard.press("Enter")
    realized(page)
    (search,) = own.searches._searches
    candidate = own.searched(search)["candidates"][1]
    there = page.evaluate("location.hash")
    assert "seed=" + str(candidate["seed"]) in there
    structure = own.realize({name: candidate[name] for name in ("latent", "seed", "sample")})["structures"][0]
    shown = page.eval_on_selector(
        "#structures canvas",
        """c => [...c.getContext("2d").getImageData(0, 0, 16, 16).data]
          .filter((_, k) => k % 4 === 0).map((v) => Number(v < 100))""",
    )
    assert shown == unpack(structure).ravel().tolist()
    # A link shows the same, voxel by voxel; and a page that is loaded again knows its candidates.
    before = picture(page)
    page.reload()
    realized(page)
    assert page.evaluate("location.hash") == there
    assert picture(page) == before
    ended(page)
    assert "found 3 candidates" in note(page)


def test_a_search_is_cancelled_by_keyboard_and_another_one_started(open_page, own):
    page = open_page(own)
    start(page, 20)
    page.wait_for_selector("#search-cancel", state="visible")
    page.click("#search")
    assert "running already" in note(page)
    page.focus("#search-cancel")
    page.keyboard.press("Enter")
    until(page, "document.getElementById('search-note').textContent === 'The search was cancelled.'")
    assert page.is_hidden("#search-running")
    assert page.evaluate("document.activeElement.id") == "search"
    start(page, 1)
    ended(page)
    assert "found 1 candidate in" in note(page)


def test_dragging_goes_on_while_a_search_runs(open_page, own):
    page = open_page(own)
    start(page, 20)
    until(page, "document.getElementById('search-stage').textContent.startsWith('Realizing')", timeout=60 * SECONDS)
    before, previews = picture(page), int(page.evaluate("document.body.dataset.previews"))
    drag(page, 0, 0.9)
    until(page, f"Number(document.body.dataset.previews) > {previews}", timeout=5 * SECONDS)
    assert picture(page) != before
    assert page.is_visible("#search-running")
    page.mouse.up()


def test_a_second_tab_is_told_that_a_search_is_running(open_page, own, serving):
    url, _ = serving(own)
    first, second = open_page(url=url), open_page(url=url)
    start(first, 20)
    first.wait_for_selector("#search-running", state="visible")
    start(second, 1)
    until(second, "document.getElementById('search-note').textContent.includes('started from another tab')")
    assert second.is_hidden("#search-running")
    first.click("#search-cancel")
    until(first, "document.getElementById('search-note').textContent === 'The search was cancelled.'")
    start(second, 1)
    ended(second)


def test_a_page_loaded_again_goes_on_with_its_search_and_says_if_it_is_gone(open_page, own, serving):
    url, stop = serving(own)
    page = open_page(url=url)
    start(page, 20)
    page.wait_for_selector("#search-running", state="visible")
    page.reload()
    page.wait_for_selector("#search-running", state="visible")
    stop()
    until(page, "document.getElementById('search-note').textContent.includes('gone with the server')")
    assert page.is_hidden("#search-running")
    own.searches.close()
    # The server runs again, and knows nothing of the search.
    other = Explorer(own.model, name="rock.matvae")
    serving(other, port=int(re.search(r":(\d+)", url)[1]))
    until(page, "document.getElementById('problem').textContent === ''", timeout=20 * SECONDS)
    page.evaluate(f"sessionStorage.setItem('matvae search', {json.dumps('0' * 22)})")
    page.reload()
    until(page, "document.getElementById('search-note').textContent.includes('The search is gone: the server was')")
    open_page.messages.clear()


def test_a_search_that_fails_says_why(open_page, own, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("matvae.explore.searching.optimize_latents", fail)
    page = open_page(own)
    start(page, 1)
    until(page, "document.getElementById('search-note').textContent.includes('too little memory for this search')")
    assert page.is_hidden("#search-running")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 390])
def test_accessibility_rules_are_kept_by_progress_and_candidates(open_page, check_accessibility, own, scheme, width):
    page = open_page(own, scheme=scheme, width=width)
    start(page, 2)
    page.wait_for_selector("#search-running", state="visible")
    check_accessibility(page)
    ended(page)
    check_accessibility(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
