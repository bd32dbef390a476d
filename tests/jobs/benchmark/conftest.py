"""Benchmarks run alike whichever plugins are installed."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", autouse=True)
def _builtin_presets(builtin_presets):
    """No plugin adds a row."""
