"""The gallery: every notebook runs, in the time that the page promises, and shows something."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

GALLERY = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(path.stem for path in GALLERY.glob("*.md") if path.stem != "index")
# Of one notebook, with tests beside it.
SECONDS = 120


def test_the_gallery_lists_every_notebook():
    index = (GALLERY / "index.md").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) >= 4
    assert [name for name in NOTEBOOKS if f"]({name}.md)" not in index] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_runs_and_shows_pictures(name, tmp_path):
    from myst_nb.core.read import read_myst_markdown_notebook
    from nbclient import NotebookClient

    notebook = read_myst_markdown_notebook((GALLERY / f"{name}.md").read_text(encoding="utf-8"))
    started = time.monotonic()
    NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert time.monotonic() - started < SECONDS
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert {"image/png", "text/html"} <= kinds
    # Warnings would be the first thing that a reader sees.
    assert [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"] == []
