"""Which processes are ranks, what is said of a lost one, and fits under torchrun."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from matvae import load
from matvae.errors import InputError
from matvae.jobs import fit_model
from matvae.jobs.ranks import joined_ranks, lost_error, ranks_of_environment
from matvae.model.ranks import Ranks, current_ranks


@pytest.fixture(autouse=True)
def _no_ranks(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)


def test_ranks_are_those_that_torchrun_numbers(monkeypatch):
    assert ranks_of_environment() == Ranks()
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert ranks_of_environment() == Ranks()
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(InputError, match="one of several processes, but RANK is not set"):
        ranks_of_environment()
    for name, value in {"RANK": "3", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    assert ranks_of_environment() == Ranks(3, 4, 1)


def test_a_single_process_joins_nobody():
    with joined_ranks() as ranks:
        assert ranks == current_ranks() == Ranks()


@pytest.mark.parametrize(
    ("lost", "says"),
    [
        ([2], "Rank 2 of 4 no longer answers"),
        ([0, 3], "Ranks 0 and 3 of 4 no longer answer:"),
        ([], "Another of the 4"),
    ],
)
def test_lost_ranks_are_named(lost, says):
    assert str(lost_error(lost, 4)).startswith(says)


@pytest.mark.slow
def test_torchrun_starts_the_command_line(trained, tmp_path):
    options = ["--n-components", "2", "--decoder", "dense", "--width", "16", "--max-epochs", "2"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "matvae", "fit", str(trained / "train.zarr"), "-o", str(tmp_path / "two.matvae"), *options]
    ran = subprocess.run(
        [*command, "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=200,
    )
    # The first process alone speaks.
    assert json.loads(ran.stdout)["records"] == 2
    assert ran.stderr.count("treated as periodic") == 1
    fit_model(
        trained / "train.zarr", tmp_path / "one.matvae", n_components=2, decoder="dense", width=16, max_epochs=2, seed=0
    )
    one, two = (load(tmp_path / name).history_ for name in ("one.matvae", "two.matvae"))
    assert np.allclose([r["loss"] for r in two], [r["loss"] for r in one], rtol=1e-5)
