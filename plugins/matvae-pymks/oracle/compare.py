"""Comparison of matvae with PyMKS in an environment where all of PyMKS's own tests pass; run by ``make oracle``.

It is not part of the regular tests, because it needs the file that ``run.py`` writes in that environment.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ..tests.cases import CASES, pymks_statistics
from ..tests.parity import assert_agrees

FILE = Path(
    os.environ.get("MATVAE_ORACLE", Path(__file__).resolve().parents[3] / "build" / "oracle" / "statistics.npz")
)


@pytest.fixture(scope="module")
def stored() -> dict[str, np.ndarray]:
    """Return PyMKS's statistics by the name of the case."""
    assert FILE.is_file(), f"{FILE} is missing; write it with make oracle"
    with np.load(FILE) as arrays:
        return dict(arrays)


def test_file_contains_exactly_the_cases(stored):
    """Detect files that were written before the cases changed."""
    assert sorted(stored) == sorted(case.name for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_matvae_agrees_with_the_oracle(case, stored):
    """Compare every lag that both define."""
    assert_agrees(case, stored[case.name])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_installed_pymks_agrees_with_the_oracle(case, stored):
    """Compare PyMKS on current scientific Python with PyMKS in its own environment."""
    np.testing.assert_allclose(pymks_statistics(case), stored[case.name], rtol=0, atol=1e-12)
