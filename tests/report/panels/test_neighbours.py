"""Neighbours and their distances, next to those of the reconstructions."""

from __future__ import annotations

from matvae.report import Download, Remark
from matvae.report.panels.neighbours import neighbours_panel

from ..reading import blocks, csv_rows
from ..report_parts import parts


def test_every_neighbour_can_be_saved():
    panel = neighbours_panel(parts())
    rows = csv_rows(blocks(panel, Download)[0])
    assert rows[0] == ["sample", "by", "training_structure", "mse", "reconstruction_mse"]
    assert rows[1:4] == [
        ["0", "image", "7", "0", "0.75"],
        ["0", "image", "8", "0.5", "0.75"],
        ["0", "statistics", "7", "0", "0.75"],
    ]
    assert len(rows) == 9
    assert blocks(panel, str) == ["Sought among 20 of 20 training structures."]


def test_missing_training_structures_are_explained():
    assert neighbours_panel(parts(similar={}, searched="None were given.")).content == [Remark("None were given.")]
