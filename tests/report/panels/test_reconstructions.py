"""Figures state which structures they show, and the errors of all structures can be saved."""

from __future__ import annotations

from matvae.report import Download, Figure
from matvae.report.panels.reconstructions import realizations_panel, reconstructions_panel

from ..reading import blocks, csv_rows
from ..report_parts import parts


def test_structures_and_phases_are_stated():
    panel = reconstructions_panel(parts())
    (figure,) = blocks(panel, Figure)
    assert "Structures 0, 10 of the data" in figure.caption
    assert "phases 1 and 1." in figure.caption
    rows = csv_rows(blocks(panel, Download)[0])
    assert rows[:3] == [["sample", "relative_error"], ["0", "0.1"], ["2", "0.12"]]
    assert len(rows) == 7


def test_realizations_are_counted():
    (figure,) = blocks(realizations_panel(parts((12,))), Figure)
    assert "an original, and 2 realizations of its latent" in figure.alt
