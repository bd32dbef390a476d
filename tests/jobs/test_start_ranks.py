"""A process that is killed ends all others and is named; errors and interrupts arrive as in one process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

import pytest

from matvae import Grid, save_structures
from matvae.errors import InputError
from matvae.jobs import fit_on_ranks
from matvae.jobs.start_ranks import _end_of
from matvae.model.ranks import RankLostError

from ..structures import blobs

LONG = {"n_components": 2, "decoder": "dense", "max_epochs": 100_000, "width": 16, "seed": 0, "patience": None}


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.slow
def test_a_killed_process_ends_the_others_and_is_named_and_its_training_continues(trained, tmp_path):
    killed = []

    def kill(record):
        if record["epoch"] == 5:
            # The processes are started one after the other.
            last = max(multiprocessing.active_children(), key=lambda process: process.name)
            os.kill(last.pid, signal.SIGKILL)
            killed.append((last.pid, time.monotonic()))

    out = tmp_path / "m.matvae"
    with pytest.raises(RankLostError) as raised:
        fit_on_ranks(trained / "train.zarr", out, devices=2, on_record=kill, **LONG)
    (pid, when), *_ = killed
    assert time.monotonic() - when < 60
    assert f"Rank 1 of 2 (process {pid}) was killed by SIGKILL, and the others were ended." in str(raised.value)
    assert f"The training state is in {out}.checkpoint. Continue with the same command and --resume." in str(
        raised.value
    )
    assert multiprocessing.active_children() == []
    assert os.listdir(tmp_path) == ["m.matvae.checkpoint"]
    records = []
    # More passes than were done: it goes on after them.
    fit_on_ranks(trained / "train.zarr", out, resume=True, on_record=records.append, **{**LONG, "max_epochs": 5})
    assert records[0]["epoch"] > 5


@pytest.mark.slow
def test_an_error_of_any_process_is_raised_here(tmp_path):
    windows = blobs(60, (24, 24))
    save_structures(tmp_path / "x.zarr", windows, grid=Grid((24, 24)))
    with pytest.raises(InputError, match="closed form in one process"):
        fit_on_ranks(tmp_path / "x.zarr", tmp_path / "m.matvae", devices=2, n_components=2, seed=0)
    assert os.listdir(tmp_path) == ["x.zarr"]


class Ended:
    pid = 7

    def __init__(self, exitcode: int) -> None:
        self.exitcode = exitcode


def test_the_end_of_a_process_is_told_by_its_exit_code():
    assert "was killed by SIGKILL" in _end_of(1, 2, Ended(-9))
    assert "memory" in _end_of(1, 2, Ended(-9))
    assert "was killed by SIGTERM, and the others were ended." in _end_of(0, 3, Ended(-15))
    assert _end_of(0, 3, Ended(2)).startswith("Rank 0 of 3 (process 7) failed with exit code 2")
