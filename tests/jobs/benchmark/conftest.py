"""Fixtures that make benchmarks independent of the installed plugins."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", autouse=True)
def _builtin_presets(builtin_presets):
    """Hide the presets of plugins, which would add rows."""
