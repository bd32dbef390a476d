from __future__ import annotations

import json
import platform
import shlex

import numpy as np
import torch

from matvae import __version__, load
from matvae.jobs.benchmark.facts import commands, facts_of

from .test_settings import GOOD


def test_facts_are_those_of_this_machine_and_model(lined, tmp_path):
    model = load(lined / "m.matvae")
    facts = facts_of(model, GOOD, tmp_path)
    json.dumps(facts, allow_nan=False)
    assert facts["settings"]["width"] == 16
    assert "checkpoint" not in facts["settings"]
    assert facts["n_weights"] == sum(p.numel() for p in model.module_.parameters())
    assert (facts["epochs"], facts["steps"]) == (3, model.history_[-1]["step"])
    versions = facts["versions"]
    assert (versions["matvae"], versions["python"]) == (__version__, platform.python_version())
    assert (versions["torch"], versions["numpy"]) == (torch.__version__, np.__version__)
    assert facts["machine"]["device"] == "cpu"


def test_commands_can_be_pasted(tmp_path):
    folder = tmp_path / "a folder"
    lines = {name: shlex.split(line) for name, line in commands(GOOD, folder).items()}
    run = lines["run"]
    assert run[:3] == ["matvae", "benchmark", "paper"]
    given = dict(zip(run[3::2], run[4::2], strict=True))
    assert given == {
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
