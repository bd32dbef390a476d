"""Fixtures of the plugin's tests: windows of a real micrograph."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def copolymer() -> np.ndarray:
    """Return 16 windows ``(sample, y, x)`` of 64 x 64 voxels of a two-phase micrograph."""
    folder = Path(os.environ.get("MATVAE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    path = folder / "micrographs" / "copolymer.npy"
    if not path.is_file() and "CI" not in os.environ:
        pytest.skip(f"{path} is missing; set MATVAE_SHARED_DATA to a folder with micrographs/ to run this test.")
    image = np.load(path)
    return image.reshape(4, 64, 4, 64).swapaxes(1, 2).reshape(16, 64, 64)
