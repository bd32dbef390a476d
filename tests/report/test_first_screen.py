"""The first screen of a report: numbers beside PCA and the floor, and steps that follow from them."""

from __future__ import annotations

import pytest

from matvae.report.first_screen import headline, is_still_falling, main_figures, next_steps
from matvae.report.parts import RealizedSet

from .report_parts import parts


def errors(short, every):
    return {"all": {"centred": every}, "4": {"centred": short}, "8": {"centred": every}}


def rows(own=0.2, pca=0.3):
    return [
        {"method": "training mean", "name": "training mean", "realize": None, "decoded": errors(1.0, 1.0)},
        {
            "method": "PCA",
            "name": "PCA (3)",
            "realize": "retrieval",
            "decoded": errors(pca, pca),
            "realized": errors(pca, pca),
        },
        {"method": "matvae", "name": "matvae (3)", "realize": "decoder", "realized": errors(own, own)},
        {
            "method": "another true window",
            "name": "another true window",
            "realize": None,
            "realized": errors(1.5, 1.25),
        },
    ]


def test_the_table_states_errors_at_short_lags_and_at_all():
    table = main_figures(parts(lag_rows=rows()))
    assert table.header == (
        "method",
        "statistics, lags ≤\N{NO-BREAK SPACE}4",
        "statistics, all lags",
        "structures, lags ≤\N{NO-BREAK SPACE}4",
        "structures, all lags",
    )
    assert table.rows == [
        ("training mean", "1.00", "1.00", "–", "–"),
        ("PCA (3), retrieval", "0.30", "0.30", "0.30", "0.30"),
        ("matvae (3), decoder", "–", "–", "0.20", "0.20"),
        ("another true window", "–", "–", "1.50", "1.25"),
    ]
    assert main_figures(parts()) is None


def test_the_headline_leaves_the_numbers_to_the_table():
    summary = "matvae decodes statistics better at all lags. Median centred errors there: 0.2 for matvae."
    assert headline(parts(summary=summary, lag_rows=rows())) == "matvae decodes statistics better at all lags."
    assert headline(parts(summary=summary)) == summary


@pytest.mark.parametrize(("own", "pca", "advised"), [(0.2, 0.3, False), (0.3, 0.29, False), (0.4, 0.3, True)])
def test_pca_is_advised_where_it_is_closer(own, pca, advised):
    steps = next_steps(parts(lag_rows=rows(own, pca)))
    assert any("TwoPointPCA" in step for step in steps) == advised


@pytest.mark.parametrize(
    ("held_out", "falling"),
    [
        ([1.0, 0.8, 0.6, 0.5, 0.4], True),
        ([1.0, 0.8, 0.6, 0.5, 0.499], False),
        ([1.0, 0.5, 0.4, 0.4, 0.6], False),
        ([1.0, 0.5], False),
        ([], False),
    ],
)
def test_longer_training_is_advised_while_the_error_falls(held_out, falling):
    history = [{"loss": 1.0, "validation_error": error} for error in held_out]
    assert is_still_falling(history) == falling
    assert any("train longer" in step for step in next_steps(parts(history=history))) == falling


def test_the_data_that_are_missing_are_asked_for():
    assert any("--train" in step for step in next_steps(parts(similar={})))
    assert not any("--train" in step for step in next_steps(parts()))
    assert any("matvae optimize" in step for step in next_steps(parts(candidates=None)))
    assert any("designed structures" in step for step in next_steps(parts()))


def test_measures_outside_the_range_are_counted():
    (step,) = [
        step
        for step in next_steps(parts(realized_set=RealizedSet({"n_outside": 2}, None, None)))
        if "Realizations as a set" in step
    ]
    assert "2 lie outside" in step
