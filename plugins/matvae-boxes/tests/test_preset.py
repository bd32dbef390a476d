"""Boxes in the benchmark of the paper, next to the networks."""

from __future__ import annotations

import pytest

from matvae.jobs import benchmark_paper

pytest.importorskip("matplotlib")
SMALL = {"size": 32, "n": 60, "n_test": 12, "n_components": 7, "max_time": 0.5, "device": "cpu"}


def test_boxes_have_a_row_and_a_model_of_their_own(tmp_path):
    result = benchmark_paper(tmp_path / "b", **SMALL)
    methods = [row["method"] for row in result["rows"]]
    assert methods == ["paper, as published", "PCA (7)", "matvae (7)", "boxes (7)"]
    assert (tmp_path / "b" / "boxes.matvae").is_dir()
    networks, boxes = result["rows"][2:]
    assert boxes["structure_error"] < networks["structure_error"]
    page = (tmp_path / "b" / "report.html").read_text()
    assert "boxes (7)" in page
    # The model is kept when the run is resumed.
    again = benchmark_paper(tmp_path / "b", resume=True, **SMALL)
    assert again["rows"][3]["structure_error"] == boxes["structure_error"]
