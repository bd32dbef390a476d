"""Fixtures of the plugin's tests: windows of a real micrograph. Without PyMKS its tests are skipped, and say so."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]


class _NotRun(pytest.Module):
    def collect(self):
        pytest.skip("PyMKS is not installed, which cannot be built by Python 3.12 or later.", allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    """Skip test modules where PyMKS is missing."""
    return None if find_spec("pymks") else _NotRun.from_parent(parent, path=module_path)


@pytest.fixture(scope="session")
def copolymer() -> np.ndarray:
    """Return 16 windows ``(sample, y, x)`` of 64 x 64 voxels of a two-phase micrograph."""
    folder = Path(os.environ.get("MATVAE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    path = folder / "micrographs" / "copolymer.npy"
    if not path.is_file() and "CI" not in os.environ:
        pytest.skip(f"{path} is missing; set MATVAE_SHARED_DATA to a folder with micrographs/ to run this test.")
    image = np.load(path)
    return image.reshape(4, 64, 4, 64).swapaxes(1, 2).reshape(16, 64, 64)
