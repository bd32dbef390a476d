"""Terminal output: results on stdout, notes and progress on stderr."""

from __future__ import annotations

import json
import logging
import warnings

import numpy as np
import pytest
import typer

from matvae.cli.terminal import (
    grid_text,
    number_text,
    rehearsing,
    show,
    show_table,
    show_values,
    warnings_as_notes,
    watching,
)
from matvae.forecast import Forecast, announce, has_listener
from matvae.jobs import plan
from matvae.jobs.plan import Meter
from matvae.warn import warn


def test_json_is_one_line_of_plain_values(capsys):
    show({"a": np.float32(0.5), "b": float("nan"), "c": (1, None), "d": {2: np.int64(3)}}, print, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"a": 0.5, "b": None, "c": [1, None], "d": {"2": 3}}


def test_values_and_tables_are_aligned(capsys):
    show_values({"a": 1 / 3, "none": None, "long": "x"})
    show_table(("method", "error"), [("PCA", "0.1"), ("a longer one", "0.25")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["a     0.333333", "long  x"]
    assert lines[2:] == ["method        error", "PCA             0.1", "a longer one   0.25"]


def test_warnings_for_the_user_are_notes_without_a_line_of_code(capsys):
    with warnings_as_notes():
        warnings.warn("two lines", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == "warning: two lines\n"
    with pytest.warns(DeprecationWarning, match="old"), warnings_as_notes():
        warnings.warn("old", DeprecationWarning, stacklevel=1)


def test_grids_are_described():
    grid = {
        "shape": [4, 8],
        "axes": ["y", "x"],
        "phases": 1,
        "periodic": False,
        "voxel_size": [2.0, 2.0],
        "unit": "nm",
    }
    assert grid_text(grid) == "4 x 8 voxels (y x), continuous field, not periodic, voxel 2 nm"
    grid.update(phases=3, periodic=True, voxel_size=[1.0, 2.5], unit=None)
    assert grid_text(grid) == "4 x 8 voxels (y x), 3 phases, periodic, voxel 1 x 2.5"


@pytest.mark.parametrize(("quiet", "expected"), [(False, "a note\nwarning: a warning\n"), (True, "")])
def test_notes_go_to_stderr_until_the_job_ends(capsys, quiet, expected):
    logger = logging.getLogger("matvae")
    with watching("test", quiet=quiet) as watcher:
        watcher.progress(1, 2)
        watcher.record({"epoch": 1, "loss": 0.5})
        logger.info("a note")
        logger.warning("a warning")
    logger.info("after")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == expected


def test_warnings_that_differ_in_numbers_only_are_shown_once_and_counted(capsys):
    with watching("test", quiet=False):
        for error in (0.41, 0.76, 1):
            warn(f"The patches of 1 of 8 structures fit badly, at most by {error} in relative error.")
        warn("Another one.")
    first, other, count = capsys.readouterr().err.splitlines()
    assert first == "warning: The patches of 1 of 8 structures fit badly, at most by 0.41 in relative error."
    assert other == "warning: Another one."
    assert count == ('The warning "The patches of 1 of 8 structures fit ..." came up 3 times, with different numbers.')


def test_quiet_leaves_out_warnings_of_libraries_too(capsys, recwarn):
    with watching("test", quiet=True):
        warn("Ours.")
        warnings.warn("Theirs.", RuntimeWarning, stacklevel=1)
    assert capsys.readouterr().err == ""
    assert not recwarn.list


@pytest.mark.parametrize("message", ["", "The state is kept."])
def test_an_interrupt_exits_with_130_and_reports_what_remains(capsys, message):
    with pytest.raises(typer.Exit) as ended, watching("test", quiet=False):
        raise KeyboardInterrupt(message)
    assert ended.value.exit_code == 130
    assert (message or "no unfinished output remains") in capsys.readouterr().err


def test_a_missing_number_is_a_dash():
    assert number_text(0.12345, "{:.2f}") == "0.12"
    assert number_text(None, "{:.2f}") == "-"


@pytest.mark.parametrize(
    ("quiet", "uniform", "each", "said"),
    [(False, True, 30, True), (True, True, 30, False), (False, False, 30, False), (False, True, 0.2, False)],
)
def test_a_long_job_says_once_what_it_takes(capsys, monkeypatch, quiet, uniform, each, said):
    now = [0.0]
    monkeypatch.setattr(plan, "Meter", lambda: Meter(lambda: now[0]))
    with watching("test", quiet=quiet, uniform=uniform) as watcher:
        for done in range(1, 21):
            now[0] += each
            watcher.progress(done, 20)
    err = capsys.readouterr().err
    assert err.startswith("This takes about 10 min") == said
    assert err.count("\n") == said


def test_the_progress_of_a_rehearsal_goes_to_one_function_alone(capsys):
    reports = []
    with rehearsing(lambda *report: reports.append(report)), watching("test", quiet=False) as watcher:
        logging.getLogger("matvae").info("a note")
        watcher.progress(1, 2)
        watcher.record({"epoch": 1, "loss": 0.5})
    assert reports == [(1, 2)]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("seconds", "said"), [(600.0, "This takes at most about 10 min"), (3.0, "")])
def test_a_job_that_announces_its_time_is_heard_once(capsys, seconds, said):
    with watching("test", quiet=False, announces=True) as watcher:
        assert not announce(Forecast(seconds, "20 passes", is_limit=True))
        watcher.progress(1, 1)
    err = capsys.readouterr().err
    assert err.startswith(said)
    assert err.count("\n") == bool(said)


def test_other_jobs_are_not_heard(capsys):
    with watching("test", quiet=False):
        assert not has_listener()
        announce(Forecast(600.0, "20 passes"))
    assert capsys.readouterr().err == ""
