"""The soak test itself: it notices other bytes, leftovers and wrong exit codes, and one round of each chain passes."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Outcome
from .soak import CHAINS, Blow, Ended, FaultError, Job, Tally, check, differences, job, run, table


def test_differences_are_noticed(made, tmp_path):
    for name in ("a", "b"):
        shutil.copytree(made / "m.matvae", tmp_path / name / "m.matvae")
        shutil.copytree(made / "l.zarr", tmp_path / name / "l.zarr")
    a, b = tmp_path / "a", tmp_path / "b"
    assert differences(a, b) == []
    # The times at which a model was trained are not compared, all else is.
    history = b / "m.matvae" / "history.jsonl"
    records = [json.loads(line) for line in history.read_text().splitlines()]
    history.write_text("".join(json.dumps({**record, "seconds": 1e9}) + "\n" for record in records))
    assert differences(a, b) == []
    history.write_text("".join(json.dumps({**record, "loss": 0}) + "\n" for record in records))
    (b / "l.zarr" / "zarr.json").write_text("{}")
    (b / ".o.zarr.1-1-1@host.partial").mkdir()
    (b / ".o.zarr.1-1-1@host.partial" / "x").touch()
    (a / "l.zarr" / "phase" / "zarr.json").unlink()
    assert differences(a, b) == [
        ".o.zarr.1-1-1@host.partial/x",
        "l.zarr/phase/zarr.json",
        "l.zarr/zarr.json",
        "m.matvae/history.jsonl",
    ]


def test_a_blow_comes_within_the_time_of_the_job():
    undisturbed = Ended(0, "", seconds=10.0, claimed=6.0)
    for seed in range(50):
        blow = Blow(random.Random(seed), undisturbed)
        start = 6.0 if blow.waits_for_claim else 0.0
        assert start <= start + blow.delay <= 10
        assert not blow.is_due(0, None) or blow.delay == 0
        assert blow.is_due(11, 6.0)


@pytest.mark.parametrize(
    ("ended", "left", "message"),
    [
        (Ended(3, "error", 1, 1, struck=True), False, "exit code 3"),
        (Ended(143, "", 1, 1), False, "exit code 143"),
        (Ended(143, "Traceback", 1, 1, struck=True), False, "Traceback"),
        (Ended(0, "", 1, 1), False, "without its output"),
        (Ended(143, "", 1, 1, struck=True, pid=7), True, "left .o.zarr"),
        (Ended(0, "", 1, 1, pid=8), True, "left .o.zarr"),
    ],
)
def test_a_wrong_end_is_noticed(tmp_path, ended, left, message):
    if left:
        (tmp_path / ".o.zarr.7-1-1@host.partial").mkdir()
        (tmp_path / "o.zarr").mkdir()
    blow = Blow(random.Random(0), Ended(0, "", 1, 1))
    blow.signal = signal.SIGTERM
    with pytest.raises(FaultError, match=message):
        check(tmp_path, Job("stats", (), "o.zarr"), ended, blow)


def test_what_an_earlier_run_left_is_not_taken_for_that_of_one_that_ended_early(tmp_path):
    (tmp_path / ".o.zarr.7-1-1@host.partial").mkdir()
    blow = Blow(random.Random(0), Ended(0, "", 1, 1))
    blow.signal = signal.SIGTERM
    check(tmp_path, Job("stats", (), "o.zarr"), Ended(143, "", 1, 1, struck=True, pid=8), blow)


def test_a_run_is_killed_at_its_moment(tmp_path, made):
    (tmp_path / "many.zarr").symlink_to(made / "many.zarr")
    blow = Blow(random.Random(0), Ended(0, "", seconds=10.0, claimed=9.0))
    blow.waits_for_claim, blow.delay, blow.signal = True, 0.1, signal.SIGKILL
    ended = run(tmp_path, job("stats many.zarr -o s.zarr --cutoff 16", "s.zarr"), blow=blow)
    assert (ended.code, ended.struck) == (137, True)
    assert ended.claimed + 0.1 < ended.seconds < ended.claimed + 2
    assert [path.name.split(".")[1] for path in tmp_path.glob(".*.partial")] == ["s"]


def test_the_table_has_sums():
    tallies = {"fit": Tally(3, equal=1), "stats": Tally(4, too_late=1, equal=2)}
    *_, last = table(tallies).splitlines()
    assert last.split() == ["all", "7", "0", "0", "1", "0", "3", "0"]


def test_one_round_of_each_chain(check):
    command = [sys.executable, "-m", "tests.faults.soak", "--rounds", str(len(CHAINS)), "--seed", "0"]
    root = Path(__file__).parents[2]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True)
    check("soak, one round of each chain", Outcome(ran.returncode, ran.stdout, ran.stderr), 0)
    assert "2 rounds, of which 0 failed" in ran.stdout
