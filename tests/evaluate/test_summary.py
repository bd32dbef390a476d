"""Sentences on errors that are known."""

from __future__ import annotations

import pytest

from matvae.evaluate.error_rows import FLOOR, ErrorRow
from matvae.evaluate.summary import summary


def errors(short, everywhere):
    """Errors by lag with two centred errors."""
    return {"all": {"centred": everywhere}, "8": {"centred": short}, "16": {"centred": 0.0}}


def rows(short, everywhere, kind="decoded"):
    return [
        ErrorRow("PCA", 5, "plain", **{kind: errors(0.4, 0.2)}),
        ErrorRow("PCA", 5, "lags", **{kind: errors(0.2, 0.3)}),
        ErrorRow("matvae", 5, "lags", **{kind: errors(short, everywhere)}),
        ErrorRow(FLOOR, realized=errors(1.4, 1.3)),
    ]


@pytest.mark.parametrize(
    ("short", "everywhere", "words"),
    [(0.1, 0.21, ("better", "about as well")), (0.21, 0.25, ("about as well", "worse"))],
)
def test_the_better_pca_is_the_one_to_beat(short, everywhere, words):
    text = summary(rows(short, everywhere), decodes_statistics=True)
    assert text == (
        f"Beside the better of two PCAs with 5 components, matvae decodes statistics {words[0]} at lags up to 8 "
        f"voxels, where interfaces and features show, and {words[1]} at all lags. Median centred errors there: "
        f"{short:.2f} and {everywhere:.2f} for matvae; 0.40 and 0.20 for PCA in the plain metric; 0.20 and 0.30 for "
        "PCA in the lag metric; 1.40 and 1.30 for another true window; always predicting the training mean has 1."
    )


def test_decoders_of_structures_are_judged_by_their_structures():
    text = summary(rows(0.1, 0.1, "realized"), decodes_statistics=False)
    assert "matvae makes structures whose statistics agree better at lags" in text
    decoded = [*rows(0.3, 0.3)[:2], *rows(0.3, 0.3, "realized")[2:]]
    assert "(by the statistics that PCA decodes)" in summary(decoded, decodes_statistics=False)


def test_without_pca_the_errors_are_stated_without_a_judgement():
    text = summary(rows(0.1, 0.2)[2:], decodes_statistics=True)
    assert text.startswith("Median centred errors at lags up to 8 voxels")
    assert "PCA" not in text
    assert summary([ErrorRow("matvae", 5)], decodes_statistics=True) == ""
