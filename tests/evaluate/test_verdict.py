"""Sentences on sets whose differences are known."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.evaluate.set_distances import compare_measured, compare_sets
from matvae.evaluate.verdict import distinct_rows, percent, verdict

NAMES, AXES = ("solid", "pore"), ("y", "x")


def values(mean, n=200, seed=0, std=1.0):
    """Numbers ``(sample, phase)`` of two phases, whose second has a given mean."""
    rng = np.random.default_rng(seed)
    second = rng.normal(mean, std, n)
    return np.stack([np.ones(n), second], axis=1)


def compared(generated, true, other=None, measure="pieces"):
    sets = [None if x is None else {measure: x} for x in (generated, true, other)]
    return compare_measured(*sets, n_bootstrap=100)


def test_equal_sets_are_within_one_standard_deviation():
    text = verdict(compared(values(10), values(10)), NAMES, AXES)
    assert text.startswith("2 of 2 measures are within one standard deviation of the held-out structures;")
    assert "the number of pieces of" in text
    # All differences are zero.
    assert text.endswith(" is 0 % too small.")


def test_a_measure_outside_is_named_with_its_difference():
    comparison = compared(values(15, seed=1), values(10), values(10.1, seed=2))
    text = verdict(comparison, NAMES, AXES)
    assert text.startswith("1 of 2 measures are within one standard deviation of the held-out structures, or as near")
    assert percent(comparison.rows[1]) == pytest.approx(50, abs=3)
    assert f"the number of pieces of pore is {percent(comparison.rows[1]):.0f} % too large." in text


def test_a_certain_difference_inside_one_standard_deviation_is_named():
    # 0.8 standard deviations of 200 structures each are certain.
    text = verdict(compared(values(10.8, seed=1), values(10)), NAMES, AXES)
    assert text.startswith("2 of 2 measures")
    assert "pieces of pore is" in text
    assert text.endswith("% too large.")


def test_as_near_as_another_region_is_near():
    text = verdict(compared(values(12, seed=1), values(10), values(13, seed=2)), NAMES, AXES)
    assert text.startswith("2 of 2 measures")
    assert verdict(compared(values(12, seed=1), values(10)), NAMES, AXES).startswith("1 of 2 measures")


def test_of_two_phases_equal_surfaces_and_complements_count_once():
    X = (np.random.default_rng(0).random((6, 12, 12)) < 0.5).astype(np.uint8)
    comparison = compare_sets(X[:3], X[3:], phases=2, n_bootstrap=0)
    names = [(row.measure, row.phase) for row in distinct_rows(comparison)]
    assert ("specific_surface", 0) not in names
    assert ("specific_surface", 1) in names
    assert ("pieces", 0) in names
    assert len(names) == len(comparison.rows) - 2


def test_minute_differences_from_a_constant_are_named_last():
    true = {"pieces": np.stack([np.ones(9), 10 + np.arange(9.0)], axis=1)}
    generated = {"pieces": true["pieces"] * 1.002 + [0, 20]}
    text = verdict(compare_measured(generated, true, n_bootstrap=0), NAMES, AXES)
    assert "0 of 2 measures" in text
    assert text.endswith("pore is 143 % too large and the number of pieces of solid is 0.2 % too large.")


def test_directions_have_names():
    true = {"percolating_share": np.full((5, 2, 2), 0.5) + 0.01 * np.arange(5)[:, None, None]}
    generated = {"percolating_share": true["percolating_share"] * [[[1], [0.5]]]}
    text = verdict(compare_measured(generated, true, n_bootstrap=0), NAMES, AXES)
    assert text.count("along x is 50 % too small") == 2
    assert "along y" not in text


@pytest.mark.parametrize(("n_axes", "ending"), [(1, "and 1 more measure differs."), (2, "and 3 more measures differ.")])
def test_further_differences_are_counted(n_axes, ending):
    scatter = 0.01 * np.arange(9)
    true = {
        "pieces": np.stack([9 + scatter, 10 + scatter], axis=1),
        "percolating_share": np.full((9, 2, 2), 0.5) + scatter[:, None, None],
    }
    halved = [[[1], [0.5]], [[0.5], [0.5]]][n_axes - 1]
    generated = {"pieces": true["pieces"] * 2, "percolating_share": true["percolating_share"] * [halved]}
    assert verdict(compare_measured(generated, true, n_bootstrap=0), NAMES, AXES).endswith(ending)
