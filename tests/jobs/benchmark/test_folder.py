"""Folders of benchmarks: resuming, starting again, and protection of files that are not results."""

from __future__ import annotations

import json
import os

import pytest

from matvae import open_structures
from matvae.errors import InputError, StoreError
from matvae.jobs.benchmark.folder import SETTINGS, open_folder

REQUEST = {"benchmark": "paper", "size": 16, "n": 50, "n_test": 10, "seed": 0, "max_time": 1.0, "device": "cpu"}


def start(out, resume=False, overwrite=False, **changes):
    return open_folder(out, {**REQUEST, **changes}, resume=resume, overwrite=overwrite)


def write_results(folder):
    for path in (folder.result, folder.page):
        path.write_text("result")
    for path in (folder.model, folder.train, folder.test):
        path.mkdir()


def names_in(folder):
    return sorted(path.name for path in folder.path.iterdir())


def test_a_new_folder_holds_its_settings(tmp_path):
    folder = start(tmp_path / "b")
    assert json.loads((folder.path / SETTINGS).read_text()) == {"schema": 1, **REQUEST}
    assert start(tmp_path / "other", resume=True).path.is_dir()


def test_an_existing_run_is_kept_without_resume_or_overwrite(tmp_path):
    write_results(start(tmp_path / "b"))
    with pytest.raises(InputError, match=r"holds a benchmark already\. .*--resume.*--overwrite"):
        start(tmp_path / "b")
    with pytest.raises(InputError, match="both were asked for"):
        start(tmp_path / "b", resume=True, overwrite=True)
    assert len(names_in(start(tmp_path / "b", resume=True))) == 6


def test_resuming_needs_the_same_settings_except_time_test_set_and_device(tmp_path):
    write_results(start(tmp_path / "b"))
    with pytest.raises(InputError, match=r"with n=50, but 60 was given"):
        start(tmp_path / "b", resume=True, n=60)
    assert json.loads((tmp_path / "b" / SETTINGS).read_text())["n"] == 50
    start(tmp_path / "b", resume=True, max_time=9.0, n_test=20, device="auto")
    assert json.loads((tmp_path / "b" / SETTINGS).read_text())["max_time"] == 9.0


@pytest.mark.parametrize(("changes", "kept"), [({"max_time": 2.0}, True), ({"seed": 1}, False), ({"n": 60}, False)])
def test_starting_again_keeps_data_that_would_be_the_same(tmp_path, changes, kept):
    folder = start(tmp_path / "b")
    write_results(folder)
    (folder.path / "model.matvae.checkpoint").write_text("state")
    start(tmp_path / "b", overwrite=True, **changes)
    assert names_in(folder) == sorted([SETTINGS, *(["test.zarr", "train.zarr"] if kept else [])])


def test_starting_again_removes_every_model_and_its_state(tmp_path):
    folder = start(tmp_path / "b")
    write_results(folder)
    # Training of a further preset was interrupted: its state exists without its model.
    (folder.path / "boxes.matvae.checkpoint").write_text("state")
    folder.companion("others").mkdir()
    start(tmp_path / "b", overwrite=True)
    assert names_in(folder) == sorted([SETTINGS, "test.zarr", "train.zarr"])


def test_a_folder_that_is_not_a_benchmark_is_never_touched(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("chapter")
    for flags in ({"overwrite": True}, {"resume": True}):
        with pytest.raises(InputError, match="was not written by matvae"):
            start(tmp_path / "thesis", **flags)
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 2}', "{}"])
def test_damaged_settings_are_refused_and_nothing_is_removed(tmp_path, text):
    folder = start(tmp_path / "b")
    write_results(folder)
    (folder.path / SETTINGS).write_text(text)
    for flags in ({"overwrite": True}, {"resume": True}):
        with pytest.raises(StoreError, match="does not describe the benchmark"):
            start(tmp_path / "b", **flags)
    assert len(names_in(folder)) == 6


def test_data_are_drawn_once(tmp_path):
    folder = start(tmp_path / "b")
    assert folder.make_data(folder.train, n=5, size=16, seed=0, progress=None)
    first = open_structures(folder.train).data.compute()
    assert not folder.make_data(folder.train, n=5, size=16, seed=0, progress=None)
    assert folder.make_data(folder.train, n=7, size=16, seed=0, progress=None)
    more = open_structures(folder.train)
    assert len(more) == 7
    assert (more.data.compute()[:5] == first).all()


def test_a_folder_whose_run_was_killed_at_once_is_begun_again(tmp_path):
    left = tmp_path / "b" / f".{SETTINGS}.1-2-1@elsewhere.partial"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    assert names_in(start(tmp_path / "b", resume=True)) == [SETTINGS]
