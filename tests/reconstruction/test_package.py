"""`matvae.reconstruct` is a function at every access and after every import."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHECK = """
import inspect, matvae
for _ in range(2):
    assert inspect.isfunction(matvae.reconstruct)
    assert list(inspect.signature(matvae.reconstruct).parameters)[:2] == ["statistics", "grid"]
    assert "2-point statistics" in matvae.reconstruct.__doc__
    import matvae.reconstruction.labels
assert matvae.reconstruct is matvae.reconstruction.reconstruct
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import matvae",
        "from matvae import reconstruct",
        "import matvae.reconstruction",
        "import matvae.jobs.reconstruct",
    ],
)
def test_reconstruct_is_a_function(imports):
    run = subprocess.run([sys.executable, "-c", f"{imports}\n{CHECK}"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
