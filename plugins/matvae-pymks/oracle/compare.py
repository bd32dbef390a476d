"""matvae's statistics against those that PyMKS computed where all of its own tests pass; ``make oracle`` runs this.

Not among the tests of every day, as it needs the file that ``run.py`` writes in its own environment.
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
    """PyMKS's statistics by the name of the case."""
    assert FILE.is_file(), f"{FILE} is missing; make oracle writes it"
    with np.load(FILE) as arrays:
        return dict(arrays)


def test_the_file_holds_the_cases(stored):
    """And no others, as after a change of the cases."""
    assert sorted(stored) == sorted(case.name for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_matvae_agrees_with_the_oracle(case, stored):
    """At every lag that both define."""
    assert_agrees(case, stored[case.name])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_pymks_here_agrees_with_the_oracle(case, stored):
    """What of PyMKS works on a current scientific Python computes what it did."""
    np.testing.assert_allclose(pymks_statistics(case), stored[case.name], rtol=0, atol=1e-12)
