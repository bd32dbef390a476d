"""Fixtures shared by all tests: the folder of real microstructures, the built-in benchmark presets, and a browser."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real micrographs and volumes, next to the checkout or named by MATVAE_SHARED_DATA."""
    folder = Path(os.environ.get("MATVAE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir() and "CI" not in os.environ:
        pytest.skip(f"No real data in {folder}; name a folder with MATVAE_SHARED_DATA to run this test as well.")
    if not folder.is_dir():
        pytest.fail(
            f"Real data expected in {folder}; MATVAE_SHARED_DATA names the folder with micrographs/ and volumes/."
        )
    return folder


@pytest.fixture(scope="module")
def builtin_presets():
    """Restrict the benchmark presets to the built-in ones, without those of installed plugins."""
    from matvae.jobs.benchmark.presets import PRESETS

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PRESETS, "targets", dict(PRESETS.builtin))
        yield


@pytest.fixture(scope="module")
def chromium():
    """Chromium without a screen, driven by Playwright."""
    found = os.environ.get("MATVAE_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    playwright = pytest.importorskip("playwright.sync_api", reason="Pages are tested with Playwright (extra dev).")
    if found is None:
        pytest.skip("There is no Chromium; install one, or name it with MATVAE_CHROMIUM, to test pages as well.")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def check_accessibility():
    """Run the accessibility rules of axe on a page, and require that none is violated."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is in the extra dev.")

    def check(page):
        results = axe.Axe().run(page)
        assert results.violations_count == 0, results.generate_report()

    return check
