"""Fixtures to run commands in this process, and a small store."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from matvae import Grid
from matvae.cli import main
from matvae.data import save_structures


@dataclass(frozen=True)
class Outcome:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


@pytest.fixture
def matvae(capsys, monkeypatch):
    """Run `matvae ARGUMENTS`; messages are not wrapped."""
    monkeypatch.setenv("COLUMNS", "400")

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Outcome(ended.value.code or 0, out, err)

    return run


@pytest.fixture
def store(tmp_path):
    """Six periodic structures of 8 x 8 voxels."""
    X = (np.random.default_rng(0).random((6, 8, 8)) < 0.4).astype(np.uint8)
    save_structures(tmp_path / "x.zarr", X, grid=Grid((8, 8), voxel_size=0.5, unit="micrometer"))
    return tmp_path / "x.zarr"
