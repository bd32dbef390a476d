"""Results as text: every field in one line, however long its arrays and lists are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from matvae.shown import LONGEST_TEXT, Shown, short_text


@dataclass(frozen=True, repr=False)
class Result(Shown):
    errors: np.ndarray
    reasons: tuple[str | None, ...]
    grid: Any = None
    weights: np.ndarray = field(default_factory=lambda: np.ones(1), repr=False)


def test_a_result_prints_one_line_per_field_that_is_not_none():
    result = Result(np.linspace(0.25, 0.75, 160), (None,) * 160)
    assert repr(result).splitlines() == [
        "Result",
        "  errors   160 values, 0.25 to 0.75",
        "  reasons  0 of 160 given",
    ]


def test_a_result_within_another_one_is_one_line():
    assert Result(np.zeros(2), (), grid=Result(np.zeros(3), ())).shown_rows()["grid"] == "Result"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.array([0.5, 0.25]), "0.5, 0.25"),
        (np.array([3, 4]), "3, 4"),
        (np.arange(12, dtype=np.uint8).reshape(3, 4), "uint8 3 x 4, 0 to 11"),
        (np.array([[1.0, np.nan], [np.inf, -2.0]]), "float64 2 x 2, -2 to 1, 2 not finite"),
        (np.full((2, 2), np.nan), "float64 2 x 2, none of them finite"),
        (np.arange(10) < 3, "True for 3 of 10"),
        (np.empty((0, 4)), "float64 0 x 4"),
        (0.123456, "0.1235"),
        ({"a": 1.5, "b": np.array([1.0, 2.0])}, "a: 1.5, b: 1, 2"),
        ((None,) * 3 + ("too large",) * 5, "5 of 8 given, the first: too large"),
        (list(range(9)), "0, 1, 2, 3, 4, 5, and 3 more"),
        ({}, "none"),
        ("two\n lines", "two lines"),
    ],
)
def test_values_are_described_in_one_short_line(value, text):
    assert short_text(value) == text


def test_long_text_is_cut():
    assert len(short_text("x" * 500)) == LONGEST_TEXT
