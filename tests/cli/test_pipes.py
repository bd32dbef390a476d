"""A reader that has left turns the exit code 1 of Typer into success, and no other."""

from __future__ import annotations

import os
import sys

import pytest

from matvae.cli.pipes import readers_may_leave


@pytest.fixture
def pipe(monkeypatch):
    """A pipe as stdout; yields the end that a reader holds."""
    read, write = os.pipe()
    with os.fdopen(write, "w") as stdout:
        monkeypatch.setattr(sys, "__stdout__", stdout)
        yield read


@pytest.mark.parametrize(("code", "expected"), [(1, 0), (0, 0), (2, 2), (4, 4)])
def test_only_the_code_of_a_closed_pipe_changes(pipe, code, expected):
    os.close(pipe)
    with pytest.raises(SystemExit) as ended, readers_may_leave():
        sys.exit(code)
    assert (ended.value.code or 0) == expected


def test_a_failure_stays_one_while_there_is_a_reader(pipe):
    with pytest.raises(SystemExit) as ended, readers_may_leave():
        sys.exit(1)
    assert ended.value.code == 1
    os.close(pipe)


def test_without_stdout_nothing_is_changed(monkeypatch):
    monkeypatch.setattr(sys, "__stdout__", None)
    with pytest.raises(SystemExit) as ended, readers_may_leave():
        sys.exit(1)
    assert ended.value.code == 1
