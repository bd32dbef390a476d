"""Run PyMKS 0.4.1 where all of it works: its own tests, and its statistics of the cases that matvae is compared with.

Runs with the Python of the environment of ``requirements.txt`` only, in which there is no matvae::

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
# Tests of solve_fe and graspi, whose libraries are not installed here, are skipped by PyMKS itself.
PASSING = "87 passed"


def own_tests() -> None:
    """Run all tests and docstring examples of PyMKS; all must pass."""
    command = [sys.executable, "-m", "pytest", "-q", "--disable-warnings", "-p", "no:cacheprovider"]
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(
            [*command, "--doctest-modules", "--pyargs", "pymks.fmks"],
            cwd=empty,
            env={**os.environ, "MPLBACKEND": "agg"},
            capture_output=True,
            text=True,
        )
    print(done.stdout.strip().splitlines()[-1])
    if done.returncode or PASSING not in done.stdout:
        sys.exit(f"{done.stdout}{done.stderr}\nPyMKS's own tests are expected to end with: {PASSING}")


def write_statistics(out: Path) -> None:
    """Write the statistics of every case as one array named like it."""
    sys.path.insert(0, str(TESTS))
    from cases import CASES, pymks_statistics

    np.savez(out, **{case.name: pymks_statistics(case) for case in CASES})
    print(f"{len(CASES)} cases in {out}")


if __name__ == "__main__":
    own_tests()
    write_statistics(Path(sys.argv[1]))
