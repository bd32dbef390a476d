"""Run PyMKS 0.4.1 in an environment where all of it works: its own tests, and the statistics to compare matvae with.

Requires the environment of ``requirements.txt``, in which matvae is not installed::

    python run.py OUT.npz
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

TESTS = Path(__file__).resolve().parents[1] / "tests"
# PyMKS itself skips the tests of solve_fe and graspi, whose libraries are not installed here.
PASSING = "87 passed"


def own_tests() -> None:
    """Run all tests and docstring examples of PyMKS, all of which must pass."""
    command = [sys.executable, "-m", "pytest", "-q", "--disable-warnings", "-p", "no:cacheprovider"]
    with tempfile.TemporaryDirectory() as empty:
        completed = subprocess.run(
            [*command, "--doctest-modules", "--pyargs", "pymks.fmks"],
            cwd=empty,
            env={**os.environ, "MPLBACKEND": "agg"},
            capture_output=True,
            text=True,
        )
    print(completed.stdout.strip().splitlines()[-1])
    if completed.returncode or PASSING not in completed.stdout:
        sys.exit(f"{completed.stdout}{completed.stderr}\nThe summary of PyMKS's own tests must contain: {PASSING}")


def write_statistics(out: Path) -> None:
    """Write the statistics of each case as an array with its name."""
    sys.path.insert(0, str(TESTS))
    from cases import CASES, pymks_statistics

    np.savez(out, **{case.name: pymks_statistics(case) for case in CASES})
    print(f"{len(CASES)} cases written to {out}")


if __name__ == "__main__":
    own_tests()
    write_statistics(Path(sys.argv[1]))
