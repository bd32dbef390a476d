"""Conditions under which lines are counted, and the structuring element for it."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from matvae import Grid, Structures, open_structures
from matvae.data.datasets import make_dataset
from matvae.errors import InputError
from matvae.evaluate import LineErrors
from matvae.jobs.lines import choose_line_errors, line_summary, true_numbers

NUMBERS = {"n_horizontal": np.array([1.0, 0.0]), "n_vertical": np.array([0.0, 2.0])}


def structures(shape=(32, 32), properties=NUMBERS, **grid):
    dtype = np.float32 if grid.get("phases") == 1 else np.uint8
    return Structures(np.zeros((2, *shape), dtype), Grid(shape, **grid), properties)


def test_lines_are_counted_according_to_the_store_unless_the_user_decides():
    with_numbers, without_numbers = structures(), structures(properties={"n_horizontal": np.zeros(2)})
    counter, reason = choose_line_errors(with_numbers, None, "a.zarr")
    assert (counter.element, counter.periodic, reason) == (3, True, None)
    reason = "a.zarr has no properties n_horizontal and n_vertical"
    assert choose_line_errors(without_numbers, None, "a.zarr") == (None, reason)
    assert choose_line_errors(without_numbers, True, "a.zarr")[0].element == 3
    assert choose_line_errors(with_numbers, False, "a.zarr") == (None, "they were not asked for")
    assert choose_line_errors(structures(periodic=False), True, "a.zarr")[0].periodic is False


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (structures((16, 16, 16)), "Lines are counted in 2-D images of phases, but a.zarr holds 3-D structures"),
        (structures(phases=1), "but a.zarr holds 2-D continuous fields"),
        (structures((8, 32)), "at least 16 pixels along each side"),
        (structures(properties={**NUMBERS, "n_vertical": np.array([np.nan, 1])}), "must be numbers of lines"),
        (structures(properties={**NUMBERS, "n_vertical": np.array([-1.0, 1])}), "must be numbers of lines"),
    ],
)
def test_lines_that_cannot_be_counted_are_refused_or_omitted_for_the_same_reason(bad, message):
    with pytest.raises(InputError, match=message) as refused:
        choose_line_errors(bad, True, "a.zarr")
    assert choose_line_errors(bad, None, "a.zarr") == (None, str(refused.value))


def test_the_element_fits_the_lines_that_were_drawn(tmp_path):
    make_dataset("lines", tmp_path / "a.zarr", n=4, size=64, thickness=[8, 12], length=[80, 150])
    drawn = open_structures(tmp_path / "a.zarr")
    counter, _ = choose_line_errors(drawn, None, "a.zarr")
    assert counter.element == 18  # from 3 to 23 voxels
    X = drawn.data.compute()
    counter.add(X, X, true_numbers(drawn))
    assert counter.summary()["originals"] == 100.0


def test_true_numbers_are_horizontal_and_vertical():
    assert true_numbers(structures()).tolist() == [[1, 0], [0, 2]]
    assert true_numbers(structures(properties={})) is None


def test_a_counter_that_disagrees_with_the_store_gives_a_warning(caplog):
    errors = LineErrors(4)
    empty = np.zeros((1, 16, 16), np.uint8)
    with caplog.at_level(logging.WARNING, logger="matvae"):
        errors.add(empty, empty, np.array([[0, 0]]))
        line_summary(errors, "a.zarr")
        assert not caplog.text
        errors.add(empty, empty, np.array([[1, 0]]))
        line_summary(errors, "a.zarr")
    assert (
        "In only 50.0 % of the originals does the counter find the lines that a.zarr has by its properties"
        in caplog.text
    )
