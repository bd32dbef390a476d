"""Errors and differences stand in tables as well as in pictures."""

from __future__ import annotations

import numpy as np

from matvae.report.panels.errors import errors_panel, fractions_panel

from ..reading import rows_of
from ..report import parts


def test_the_numbers_of_the_figure():
    panel = errors_panel(parts())
    assert list(panel.tables[0].rows) == [
        ("training mean", "–", "1.000", "–"),
        ("PCA", "1", "0.500", "–"),
        ("PCA", "3", "0.250", "–"),
        ("matvae", "3", "0.125", "0.188"),
    ]
    assert rows_of(panel.data[0])[-1] == ["matvae", "3", "0.125", "0.1875"]
    assert "PCA was fitted on 5 training structures." in panel.text


def test_no_rows_are_explained():
    panel = errors_panel(parts(rows=[], rows_note="All are equal."))
    assert (panel.left_out, panel.figures) == ("All are equal.", ())


def test_differences_of_each_phase():
    originals = np.array([[0.25, 0.5], [0.5, 0.25]])
    made = np.array([[0.25, 0.25], [0.75, 0.25]])
    panel = fractions_panel(parts(phases=3, numbers=np.array([0, 4]), fractions=np.stack([originals, made])))
    assert list(panel.tables[0].rows) == [("phase 1", "0.1250", "0.2500"), ("phase 2", "0.1250", "0.2500")]
    assert rows_of(panel.data[0]) == [
        ["sample", "original_1", "reconstruction_1", "original_2", "reconstruction_2"],
        ["0", "0.25", "0.25", "0.5", "0.25"],
        ["4", "0.5", "0.75", "0.25", "0.25"],
    ]
    assert "largest difference is 0.2500" in panel.figures[0].alt


def test_a_field_has_none():
    assert "no volume fractions" in fractions_panel(parts(fractions=None)).left_out
