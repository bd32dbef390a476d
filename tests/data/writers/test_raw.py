from __future__ import annotations

import json
import sys

import numpy as np

from matvae import Grid
from matvae.data import write


def test_x_is_fastest_and_the_header_says_all(tmp_path):
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[2, 1, 3] = 1
    grid = Grid((3, 4, 5), phases=4, voxel_size=(2, 0.5, 0.25), unit="µm", origin=(1, 2, 3))
    written = write(labels, tmp_path / "a.raw", grid=grid)
    assert [path.name for path in written.files] == ["a.raw", "a.json"]
    assert (tmp_path / "a.raw").read_bytes().index(1) == 3 + 5 * (1 + 4 * 2)
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {
        "shape": [3, 4, 5],
        "dtype": "uint8",
        "byteorder": sys.byteorder,
        "offset": 0,
        "voxel_size": [2.0, 0.5, 0.25],
        "unit": "µm",
        "origin": [1.0, 2.0, 3.0],
        "axes": "zyx",
        "phases": 4,
    }


def test_axes_with_long_names_are_a_list(tmp_path):
    write(np.zeros((2, 3, 4), np.uint8), tmp_path / "a.raw", grid=Grid((3, 4), axes=("rd", "nd")))
    assert json.loads((tmp_path / "a.json").read_text())["axes"] == ["s", "rd", "nd"]
