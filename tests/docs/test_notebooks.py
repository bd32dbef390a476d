"""The gallery: every notebook runs without warnings, and shows tables and pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

GALLERY = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(path.stem for path in GALLERY.glob("*.md") if path.stem != "index")
# Of one cell, with other tests beside it; alone, a whole notebook takes about fifteen seconds.
SECONDS = 200


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
    NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert {"image/png", "text/html"} <= kinds
    # Warnings would be the first thing that a reader sees.
    assert [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"] == []
