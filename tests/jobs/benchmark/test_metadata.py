from __future__ import annotations

import json
import platform
import shlex

import numpy as np
import torch

from matvae import __version__, load
from matvae.jobs.benchmark.metadata import commands, run_metadata

from .test_settings import GOOD


def test_metadata_describes_the_machine_and_the_model(lined, tmp_path):
    model = load(lined / "m.matvae")
    metadata = run_metadata(model, GOOD, tmp_path)
    json.dumps(metadata, allow_nan=False)
    assert metadata["settings"]["width"] == 16
    assert "checkpoint" not in metadata["settings"]
    assert metadata["n_weights"] == sum(p.numel() for p in model.module_.parameters())
    assert (metadata["epochs"], metadata["steps"]) == (3, model.history_[-1]["step"])
    versions = metadata["versions"]
    assert (versions["matvae"], versions["python"]) == (__version__, platform.python_version())
    # torch from PyPI names its build, +cu130, in `__version__` alone.
    assert versions["torch"].partition("+")[0] == torch.__version__.partition("+")[0]
    assert versions["numpy"] == np.__version__
    assert metadata["machine"]["device"] == "cpu"


def test_commands_can_be_pasted_into_a_shell(tmp_path):
    folder = tmp_path / "a folder"
    lines = {name: shlex.split(line) for name, line in commands(GOOD, folder).items()}
    run = lines["run"]
    assert run[:3] == ["matvae", "benchmark", "paper"]
    options = dict(zip(run[3::2], run[4::2], strict=True))
    assert options == {
        "--preset": "matvae",
        "--size": "64",
        "--n": "1000",
        "--n-test": "1000",
        "--n-components": "9",
        "--seed": "0",
        "--device": "cpu",
        "-o": str(folder),
        "--max-time": "60",
    }
    assert lines["resume"] == [*run, "--resume"]
    assert lines["longer"][-2:] == ["240", "--overwrite"]
