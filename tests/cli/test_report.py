"""Output of the command `report`, and the page it writes."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def model_and_data(matvae, store, tmp_path):
    quick = ("--n-components", 2, "--max-epochs", 1, "--width", 16, "--decoder", "dense")
    fitted = matvae("fit", store, "-o", tmp_path / "m.matvae", *quick)
    assert fitted.code == 0, fitted.err
    return tmp_path / "m.matvae", store


def test_the_page_is_written_and_summarised(matvae, model_and_data, tmp_path):
    out = tmp_path / "report.html"
    ran = matvae("report", *model_and_data, "-o", out)
    assert ran.code == 0, ran.err
    lines = dict(line.split(maxsplit=1) for line in ran.out.splitlines()[:3])
    assert lines["report"] == str(out)
    assert lines["structures"] == "6"
    assert "note: No training structures were given." in ran.out
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_json_is_the_result_of_the_job_and_overwriting_needs_an_option(matvae, model_and_data, tmp_path, monkeypatch):
    monkeypatch.setattr("matvae.jobs.report.report.report_page", lambda parts: parts.title)
    out = tmp_path / "report.html"
    result = json.loads(matvae("report", *model_and_data, "-o", out, "--train", model_and_data[1], "--json").out)
    assert (result["out"], result["train"], result["n_samples"]) == (str(out), str(model_and_data[1]), 6)
    assert out.read_text() == "Report of m.matvae"
    assert matvae("report", *model_and_data, "-o", out).code == 3
    assert matvae("report", *model_and_data).code == 2
