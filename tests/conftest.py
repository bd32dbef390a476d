"""What all tests share: the real microstructures, and single-threaded determinism where it matters."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real micrographs and volumes, beside the checkout or where MATVAE_SHARED_DATA says."""
    folder = Path(os.environ.get("MATVAE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.fail(
            f"Real data expected in {folder}; set MATVAE_SHARED_DATA to the folder that holds micrographs/ and volumes/."
        )
    return folder
