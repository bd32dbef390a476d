"""`matvae.reconstruct` is the function and the package of that name, whichever was imported first."""

from __future__ import annotations

import subprocess
import sys

import pytest

CALL = """
import numpy as np
f = matvae.two_point_stats(np.eye(8, dtype=np.uint8)[None])
for function in (matvae.reconstruct, reconstruct):
    found = function(f, grid=matvae.Grid((8, 8)), random_state=0)
    assert isinstance(found, matvae.Reconstruction)
    assert found.structures.sum() == 8
from matvae.reconstruct.labels import nearest_labels
assert "reconstruct" in matvae.__all__
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import matvae; reconstruct = matvae.reconstruct",
        "import matvae; from matvae import reconstruct",
        "import matvae; from matvae.reconstruct import reconstruct",
        "import matvae.reconstruct; from matvae import reconstruct",
    ],
)
def test_either_order_gives_something_to_call(imports):
    done = subprocess.run([sys.executable, "-c", imports + CALL], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
