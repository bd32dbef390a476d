"""The command line as a separate process: stdout, exit codes and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

# Saves the state of training after every step instead of every half minute, so that a test notices its start.
EAGER = """
from dataclasses import dataclass
from matvae.estimator import training

@dataclass(frozen=True)
class Eager(training.TrainingSettings):
    checkpoint_seconds: float = 0.0

training.TrainingSettings = Eager
from matvae.cli import main
main()
"""
PROGRAM = [sys.executable, "-c", "from matvae.cli import main; main()"]


def matvae(*arguments, cwd):
    return subprocess.run([*PROGRAM, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("command_line")
    run = matvae("dataset", "make", "lines", "l.zarr", "--n", 60, "--size", 32, "--json", cwd=folder)
    assert run.returncode == 0, run.stderr
    # Only the result is written to stdout, and without a terminal no progress is written to stderr.
    assert json.loads(run.stdout)["n_samples"] == 60
    assert run.stderr == ""
    return folder


def test_missing_and_unreadable_files_have_their_exit_codes(folder):
    (folder / "notes.txt").write_text("no structures")
    assert matvae("stats", "absent.zarr", "-o", "s.zarr", cwd=folder).returncode == 2
    unreadable = matvae("import", "notes.txt", "x.zarr", "--json", cwd=folder)
    assert unreadable.returncode == 3
    assert unreadable.stdout == ""
    assert unreadable.stderr.startswith("error: ")
    assert "Traceback" not in unreadable.stderr


@pytest.mark.slow
def test_ctrl_c_keeps_the_state_of_training_and_resume_completes_it(folder):
    command = ["fit", "l.zarr", "-o", "m.matvae", "--n-components", "2", "--width", "16", "--json"]
    # Background jobs of a shell ignore Ctrl-C; the process must react to it even if the tests run in one.
    process = subprocess.Popen(
        [sys.executable, "-c", EAGER, *command, "--max-epochs", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        while not (folder / "m.matvae.checkpoint").exists() and process.poll() is None:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert "--resume" in err
    assert (folder / "m.matvae.checkpoint").exists()
    assert not (folder / "m.matvae").exists()
    resumed = matvae(*command, "--max-epochs", "1", "--resume", cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["model"] == "m.matvae"
    assert "Training continues from m.matvae.checkpoint" in resumed.stderr
    assert not (folder / "m.matvae.checkpoint").exists()
    assert sorted(p.name for p in folder.iterdir() if p.name.startswith(".")) == []
