"""The training curve, with its description in words and its values."""

from __future__ import annotations

import pytest

from matvae.report import Download, Figure, Remark
from matvae.report.panels.training import training_panel

from ..reading import blocks, csv_rows
from ..report_parts import parts


def test_first_and_last_loss_are_stated():
    panel = training_panel(parts())
    (figure,), (download,) = blocks(panel, Figure), blocks(panel, Download)
    assert "The loss went from 2 to 0.5." in figure.caption
    assert "against 2 epochs" in figure.alt
    assert csv_rows(download) == [["loss", "validation_error"], ["2", "0.75"], ["0.5", "0.25"]]


def test_records_may_lack_values():
    panel = training_panel(parts(history=[{"validation_error": 0.5}, {"loss": 1.0}]))
    assert "The loss went" not in blocks(panel, Figure)[0].caption
    assert csv_rows(blocks(panel, Download)[0])[1:] == [["0.5", ""], ["", "1"]]


@pytest.mark.parametrize(("closed_form", "advice"), [(True, "not possible"), (False, "train longer")])
def test_without_held_out_structures_only_the_loss_is_promised(closed_form, advice):
    panel = training_panel(parts(history=[{"loss": 2.0}, {"loss": 1.0}], closed_form=closed_form))
    (figure,) = blocks(panel, Figure)
    assert advice in panel.good
    assert "held-out" not in figure.alt + figure.caption
    assert ("rounds of the fit" in figure.alt) == closed_form


def test_a_missing_history_is_explained():
    assert training_panel(parts(history=[])).content == [Remark("The model has no record of its training.")]
