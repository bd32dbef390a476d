"""What the command report prints, and the page that it writes."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def made(matvae, store, tmp_path):
    quick = ("--n-components", 2, "--max-epochs", 1, "--width", 16, "--decoder", "dense")
    ran = matvae("fit", store, "-o", tmp_path / "m.matvae", *quick)
    assert ran.code == 0, ran.err
    return tmp_path / "m.matvae", store


def test_a_page_is_written_and_its_size_printed(matvae, made, tmp_path):
    out = tmp_path / "report.html"
    ran = matvae("report", *made, "-o", out)
    assert ran.code == 0, ran.err
    lines = dict(line.split(maxsplit=1) for line in ran.out.splitlines()[:3])
    assert lines["report"] == str(out)
    assert lines["structures"] == "6"
    assert "note: No training structures were given." in ran.out
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_json_is_what_the_job_gives_and_nothing_is_replaced_unasked(matvae, made, tmp_path, monkeypatch):
    monkeypatch.setattr("matvae.jobs.report.report.report_page", lambda parts: parts.title)
    out = tmp_path / "report.html"
    result = json.loads(matvae("report", *made, "-o", out, "--train", made[1], "--json").out)
    assert (result["out"], result["train"], result["n_samples"]) == (str(out), str(made[1]), 6)
    assert out.read_text() == "Report of m.matvae"
    assert matvae("report", *made, "-o", out).code == 3
    assert matvae("report", *made).code == 2
