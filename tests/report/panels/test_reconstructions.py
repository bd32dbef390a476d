"""Pictures say which structures they show; the errors of all are to be saved."""

from __future__ import annotations

from matvae.report.panels.reconstructions import realizations_panel, reconstructions_panel

from ..reading import rows_of
from ..report import parts


def test_structures_and_phases_are_named():
    panel = reconstructions_panel(parts())
    assert "Structures 0, 10 of the data" in panel.figures[0].caption
    assert "the phases 1 and 1." in panel.figures[0].caption
    rows = rows_of(panel.data[0])
    assert rows[:3] == [["sample", "relative_error"], ["0", "0.1"], ["2", "0.12"]]
    assert len(rows) == 7


def test_realizations_are_counted():
    panel = realizations_panel(parts((12,)))
    assert "an original, and 2 structures made of its latent" in panel.figures[0].alt
