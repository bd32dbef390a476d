"""Neighbours are named with their distance, beside that of the reconstruction."""

from __future__ import annotations

from matvae.report.panels.similar import similar_panel

from ..reading import rows_of
from ..report import parts


def test_every_neighbour_is_to_be_saved():
    panel = similar_panel(parts())
    rows = rows_of(panel.data[0])
    assert rows[0] == ["sample", "by", "training_structure", "mse", "reconstruction_mse"]
    assert rows[1:4] == [
        ["0", "image", "7", "0", "0.75"],
        ["0", "image", "8", "0.5", "0.75"],
        ["0", "statistics", "7", "0", "0.75"],
    ]
    assert len(rows) == 9
    assert panel.text == ("Sought among 20 of 20 training structures.",)


def test_without_training_structures_it_is_said_why():
    assert similar_panel(parts(similar={}, searched="None were given.")).left_out == "None were given."
