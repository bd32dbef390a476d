"""Several processes: a worker of dask or a rank of torch is killed, or the command that started them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from .conftest import Started, contents

FIT = ("fit", "l.zarr", "-o", "f.matvae", "--n-components", 2, "--width", 16, "--decoder", "dense", "--devices", 2)
STATS = ("stats", "many.zarr", "-o", "o.zarr", "--cutoff", 16, "--workers", 2)


def descendants(command: Started, kind: str) -> list[psutil.Process]:
    """Processes that a command started and that work for it, in the order of their start."""
    found = []
    for process in psutil.Process(command.process.pid).children(recursive=True):
        try:
            words = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if kind in words and "resource_tracker" not in words:
            found.append(process)
    return sorted(found, key=lambda process: process.create_time())


def has_claim(folder: Path) -> bool:
    return any(name.endswith(".partial") for name in os.listdir(folder))


def end_within(processes: list[psutil.Process], seconds: float) -> bool:
    """Whether processes end in this time."""
    return not psutil.wait_procs(processes, timeout=seconds)[1]


def test_a_killed_dask_worker_changes_nothing(start, run, check, made, folder):
    (folder / "many.zarr").symlink_to(made / "many.zarr")
    assert run(*STATS[:-2], "--overwrite", cwd=folder).code == 0
    expected = contents(folder / "o.zarr")
    command = start(*STATS, "--overwrite", cwd=folder)
    command.wait_for(lambda: has_claim(folder) and len(descendants(command, "spawn_main")) >= 2)
    time.sleep(1)
    descendants(command, "spawn_main")[-1].kill()
    outcome = command.end()
    check(
        "kill -9 of a dask worker during stats",
        outcome,
        0,
        folder=folder,
        holds=contents(folder / "o.zarr") == expected,
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_dask_workers_end_with_their_command(start, run, check, made, folder, number):
    (folder / "many.zarr").symlink_to(made / "many.zarr")
    command = start(*STATS, cwd=folder)
    command.wait_for(lambda: has_claim(folder) and len(descendants(command, "spawn_main")) >= 2)
    workers = descendants(command, "spawn_main")
    command.signal(number)
    outcome = command.end()
    name = signal.Signals(number).name
    codes = -number if number == signal.SIGKILL else 128 + number
    ended = end_within(workers, 60)
    check(f"{name} of stats with two workers, which end", outcome, codes, holds=ended)
    again = run(*STATS[:-2], cwd=folder)
    check(f"stats after {name}", again, 0, folder=folder)


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_rank_ends_all_within_a_minute_and_is_named(start, run, check, folder, victim):
    command = start(*FIT, "--max-epochs", 100_000, cwd=folder)
    command.wait_for(lambda: has_claim(folder) and len(descendants(command, "spawn_main")) == 2)
    time.sleep(3)
    ranks = descendants(command, "spawn_main")
    began = time.monotonic()
    ranks[victim].kill()
    outcome = command.end()
    holds = time.monotonic() - began < 60 and end_within(ranks, 5)
    check(f"kill -9 of rank {victim} of fit", outcome, 1, f"Rank {victim} of 2", holds=holds)
    again = run(*FIT[:-2], "--max-epochs", 1, "--resume", cwd=folder)
    check(f"fit --resume in one process after rank {victim} was killed", again, 0, folder=folder)


def test_ranks_end_with_their_command(start, run, check, folder):
    command = start(*FIT, "--max-epochs", 100_000, cwd=folder)
    command.wait_for(lambda: has_claim(folder) and len(descendants(command, "spawn_main")) == 2)
    time.sleep(3)
    ranks = descendants(command, "spawn_main")
    command.signal(signal.SIGKILL)
    check("kill -9 of fit with two ranks, which end", command.end(), -9, holds=end_within(ranks, 60))
    again = run(*FIT[:-2], "--max-epochs", 1, "--resume", cwd=folder)
    check("fit --resume after that", again, 0, folder=folder)
