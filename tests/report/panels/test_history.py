"""The course of a training is told in words and numbers, too."""

from __future__ import annotations

from matvae.report.panels.history import history_panel

from ..reading import rows_of
from ..report import parts


def test_first_and_last_loss_are_told():
    panel = history_panel(parts())
    assert "The loss went from 2 to 0.5." in panel.figures[0].caption
    assert "against 2 passes over the data" in panel.figures[0].alt
    assert rows_of(panel.data[0]) == [["loss", "validation_error"], ["2", "0.75"], ["0.5", "0.25"]]


def test_records_may_lack_numbers():
    panel = history_panel(parts(history=[{"validation_error": 0.5}, {"loss": 1.0}]))
    assert "The loss went" not in panel.figures[0].caption
    assert rows_of(panel.data[0])[1:] == [["0.5", ""], ["", "1"]]


def test_no_history_is_said():
    panel = history_panel(parts(history=[]))
    assert panel.left_out == "The model keeps no record of its training."
    assert not panel.figures
