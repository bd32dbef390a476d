"""Warnings of all modules: they are issued through `matvae.warn`, so that they name the line of the user."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [*ROOT.glob("matvae/**/*.py"), *ROOT.glob("plugins/*/matvae_*/**/*.py")]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_calls_warnings_directly(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    direct = [call.lineno for call in calls if ast.unparse(call.func) in ("warnings.warn", "warnings.warn_explicit")]
    assert path == ROOT / "matvae" / "warn.py" or not direct
