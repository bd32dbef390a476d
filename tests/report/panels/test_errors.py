"""Errors and volume fractions are shown in tables as well as in figures."""

from __future__ import annotations

import numpy as np

from matvae.report import Download, Figure, Remark, Table
from matvae.report.panels.errors import errors_panel, fractions_panel

from ..reading import blocks, csv_rows
from ..report_parts import parts


def test_the_values_of_the_figure_are_in_the_table_and_the_csv_file():
    panel = errors_panel(parts())
    assert list(blocks(panel, Table)[0].rows) == [
        ("training mean", "–", "1.000", "–"),
        ("PCA", "1", "0.500", "–"),
        ("PCA", "3", "0.250", "–"),
        ("matvae", "3", "0.125", "0.188"),
    ]
    assert csv_rows(blocks(panel, Download)[0])[-1] == ["matvae", "3", "0.125", "0.1875"]
    assert "PCA was fitted on 5 training structures." in blocks(panel, str)


def test_errors_at_short_lags_are_shown_with_the_way_to_structures():
    errors = {"all": {"centred": 0.5, "relative": 0.25}, "2": {"centred": 0.125, "relative": 0.0625}}
    rows = [
        {"name": "PCA (3)", "realize": "retrieval", "decoded": errors, "realized": errors},
        {"name": "matvae (3)", "realize": "retrieval", "decoded": errors, "realized": errors},
        {"name": "matvae (3)", "realize": "examples", "decoded": errors, "realized": None},
        {"name": "another true window", "realize": None, "decoded": None, "realized": errors},
    ]
    decoded, realized = blocks(errors_panel(parts(lag_rows=rows)), Table)[:2]
    values = ("0.500", "0.125", "0.250", "0.062")
    assert decoded.header == (
        "method",
        "centred, all lags",
        "centred, lags ≤ 2",
        "relative, all lags",
        "relative, lags ≤ 2",
    )
    assert list(decoded.rows) == [("PCA (3)", *values), ("matvae (3)", *values)]
    names = ["PCA (3), retrieval", "matvae (3), retrieval", "another true window"]
    assert [row[0] for row in realized.rows] == names


def test_missing_errors_are_explained():
    panel = errors_panel(parts(rows=[], rows_note="All are equal."))
    assert panel.content == [Remark("All are equal.")]


def test_differences_in_volume_fraction_are_shown_for_each_phase():
    originals = np.array([[0.25, 0.5], [0.5, 0.25]])
    reconstructions = np.array([[0.25, 0.25], [0.75, 0.25]])
    fractions = np.stack([originals, reconstructions])
    panel = fractions_panel(parts(phases=3, numbers=np.array([0, 4]), fractions=fractions))
    expected = [("+0.0000", "0.2500", "0.2500"), ("+0.1250", "0.1250", "0.2500"), ("-0.1250", "0.1250", "0.2500")]
    assert list(blocks(panel, Table)[0].rows) == [(f"phase {i}", *cells) for i, cells in enumerate(expected)]
    names = ("solid", "pore", "binder")
    named = fractions_panel(parts(phases=3, numbers=np.array([0, 4]), fractions=fractions, phase_names=names))
    assert [row[0] for row in blocks(named, Table)[0].rows] == ["solid", "pore", "binder"]
    assert csv_rows(blocks(panel, Download)[0]) == [
        ["sample", "original_1", "reconstruction_1", "original_2", "reconstruction_2"],
        ["0", "0.25", "0.25", "0.5", "0.25"],
        ["4", "0.5", "0.75", "0.25", "0.25"],
    ]
    assert "largest difference is 0.2500" in blocks(panel, Figure)[0].alt


def test_a_continuous_field_has_no_volume_fractions():
    (remark,) = fractions_panel(parts(fractions=None)).content
    assert "no volume fractions" in remark.text
