"""Arrays as a page receives them."""

from __future__ import annotations

import base64

import numpy as np

from matvae import Grid
from matvae.explore.packed import describe_grid, pack, pack_statistics


def unpack(packed):
    dtype = np.uint8 if packed["dtype"] == "uint8" else np.dtype("<f4")
    return np.frombuffer(base64.b64decode(packed["data"]), dtype).reshape(packed["shape"])


def test_labels_and_fields_come_back_in_their_order():
    labels = np.arange(6, dtype=np.int64).reshape(2, 3)
    assert np.array_equal(unpack(pack(labels)), labels)
    assert pack(labels)["dtype"] == "uint8"
    field = np.array([[0.5, -1.25]])
    assert np.array_equal(unpack(pack(field.T)), field.T)


def test_sections_of_statistics_of_a_volume_go_through_zero_lag():
    statistics = np.random.default_rng(0).random((5, 7, 3, 2))
    statistics[2, 3, 1, 0] = 9
    first, second = pack_statistics(statistics, ((1, 1), (0, 1)))
    assert [unpack(section).shape for section in first["sections"]] == [(7, 3), (5, 3), (5, 7)]
    assert all(unpack(section).max() == 9 for section in first["sections"])
    assert (first["name"], second["name"]) == ("autocorrelation of phase 1", "phases 0 and 1")
    assert first["high"] == 9


def test_the_grid_says_what_a_page_needs():
    described = describe_grid(Grid((4, 5), phases=3, voxel_size=(1, 2), unit="nm"))
    assert described["axes"] == ["y", "x"]
    assert described["voxel_size"] == [1, 2]
    assert described["phases"] == 3
    assert described["phase_texts"] == ["phase 0", "phase 1", "phase 2"]
    named = describe_grid(Grid((4, 5), phases=3), ["pore", "solid"])
    assert named["phase_texts"] == ["phase 0 (pore)", "phase 1 (solid)", "phase 2"]
