"""Reports on models: complete pages, or no file at all."""

from __future__ import annotations

import os

import numpy as np
import pytest

from matvae import Grid, load, open_structures, save_structures
from matvae.errors import InputError
from matvae.jobs import report_model
from matvae.jobs.report import report
from matvae.jobs.report.report import is_page


@pytest.fixture(scope="module")
def reported(trained, tmp_path_factory):
    """Result of a report with all optional sections, its progress, and its folder."""
    folder, steps = tmp_path_factory.mktemp("report"), []
    result = report_model(
        trained / "m.matvae",
        trained / "test.zarr",
        folder / "a.html",
        train=trained / "train.zarr",
        candidates=trained / "test.zarr",
        progress=lambda done, total: steps.append((done, total)),
    )
    return result, steps, folder


def test_the_page_contains_the_measured_values(trained, reported):
    result, _, folder = reported
    page = (folder / "a.html").read_text(encoding="utf-8")
    error = -load(trained / "m.matvae").score(open_structures(trained / "test.zarr").data.compute())
    assert result["relative_error"] == pytest.approx(error, abs=1e-5)
    assert "21 structures were encoded as 3 numbers each" in page
    lead = page[page.index('<p class="lead">') : page.index("</p>", page.index('<p class="lead">'))]
    assert lead.startswith('<p class="lead">Beside the better of two PCAs with 3 components, matvae makes structures')
    assert result["generated"]["verdict"] in lead
    assert "21 candidates from test.zarr." in page
    assert result["bytes"] == len(page.encode())
    assert (result["n_samples"], result["notes"]) == (21, [])
    assert result["rows"][-1]["method"] == "matvae"
    assert result["sampling"] is None
    assert f"No sampling error of the structures is stated: {result['sampling_left_out']}." in page
    assert os.listdir(folder) == ["a.html"]


def test_progress_ends_at_the_total(reported):
    _, steps, _ = reported
    assert steps[-1] == (61, 61)
    assert steps == sorted(steps)


def test_the_page_states_what_is_missing_without_training_structures(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "report_page", lambda parts: "\n".join([*parts.notes, parts.rows_note, parts.searched]))
    monkeypatch.setattr(report, "choose", lambda structures, most: (structures[:20], np.arange(20)))
    result = report_model(trained / "m.matvae", trained / "test.zarr", tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text()
    for note in (
        "which favours it",
        "20 of 21 structures were measured",
        "No training structures were given to search",
    ):
        assert note in text
    assert len(result["notes"]) == 2


def test_only_pages_of_matvae_are_replaced(trained, reported, tmp_path):
    _, _, folder = reported
    assert is_page(folder / "a.html")
    (tmp_path / "mine.html").write_text("<!DOCTYPE html><title>mine</title>")
    arguments = (trained / "m.matvae", trained / "test.zarr", tmp_path / "mine.html")
    with pytest.raises(InputError, match="exists already"):
        report_model(*arguments)
    with pytest.raises(InputError, match="not written by matvae"):
        report_model(*arguments, overwrite=True)
    assert (tmp_path / "mine.html").read_text().endswith("mine</title>")
    assert not is_page(tmp_path)


def test_unsuitable_input_is_refused_before_any_work(trained, tmp_path):
    model, data = trained / "m.matvae", trained / "test.zarr"
    with pytest.raises(InputError, match=r"ends in \.html"):
        report_model(model, data, tmp_path / "a.pdf")
    other = open_structures(data).data[:, :4].compute()
    save_structures(tmp_path / "small.zarr", other, grid=Grid((4, 8)))
    for name in ("train", "candidates"):
        with pytest.raises(InputError, match="4 x 8"):
            report_model(model, data, tmp_path / "a.html", **{name: tmp_path / "small.zarr"})
    assert not (tmp_path / "a.html").exists()


def test_an_interrupted_page_leaves_nothing(trained, tmp_path, monkeypatch):
    def interrupted(parts):
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "report_page", interrupted)
    with pytest.raises(KeyboardInterrupt):
        report_model(trained / "m.matvae", trained / "test.zarr", tmp_path / "a.html")
    assert os.listdir(tmp_path) == []
