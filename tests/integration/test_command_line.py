"""The command line as a process of its own: stdout, exit codes and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

# Saves the training's state after every step instead of every half minute, so that a test can see it begin.
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
    place = tmp_path_factory.mktemp("command_line")
    made = matvae("dataset", "make", "lines", "l.zarr", "--n", 60, "--size", 32, "--json", cwd=place)
    assert made.returncode == 0, made.stderr
    # Nothing but the result is on stdout, and without a terminal no progress is on stderr.
    assert json.loads(made.stdout)["n_samples"] == 60
    assert made.stderr == ""
    return place


def test_exit_codes(folder):
    (folder / "notes.txt").write_text("no structures")
    assert matvae("stats", "absent.zarr", "-o", "s.zarr", cwd=folder).returncode == 2
    bad = matvae("import", "notes.txt", "x.zarr", "--json", cwd=folder)
    assert bad.returncode == 3
    assert bad.stdout == ""
    assert bad.stderr.startswith("error: ")
    assert "Traceback" not in bad.stderr


@pytest.mark.slow
def test_ctrl_c_keeps_the_training_and_resume_ends_it(folder):
    command = ["fit", "l.zarr", "-o", "m.matvae", "--n-components", "2", "--width", "16", "--json"]
    # A shell's background jobs ignore Ctrl-C; this one must not, wherever the tests run.
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
    ended = matvae(*command, "--max-epochs", "1", "--resume", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["model"] == "m.matvae"
    assert "Training continues from m.matvae.checkpoint" in ended.stderr
    assert not (folder / "m.matvae.checkpoint").exists()
    assert sorted(p.name for p in folder.iterdir() if p.name.startswith(".")) == []
