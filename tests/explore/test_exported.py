"""Every format that has a writer is offered, and gives one file."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.data import Structures
from matvae.data.writers import WRITERS
from matvae.explore.exported import export, formats


def test_the_formats_are_those_of_the_writers():
    assert [f["name"] for f in formats()] == list(WRITERS.names())


@pytest.mark.parametrize("name", list(WRITERS.builtin))
def test_every_format_gives_a_file_named_after_it(name):
    voxels = np.zeros((1, 4, 5, 6), np.uint8)
    voxels[0, 1:3, 2:4, 1:5] = 1
    structures = Structures(voxels, Grid((4, 5, 6), voxel_size=2.0, unit="micrometer"))
    file, content, _ = export(structures, name, "rock")
    assert file.startswith("rock")
    assert file.endswith((".zip", *WRITERS.get(name).suffixes))
    assert len(content) > 100
