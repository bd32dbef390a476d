from __future__ import annotations

import numpy as np
import pytest

from matvae.data.datasets import parameters as p
from matvae.errors import InputError


def test_numpy_numbers_and_arrays_are_converted():
    assert p.integer_range("n", np.array([1, 4]), low=1) == (1, 4)
    assert p.integer_range("n", 2, low=1) == (2, 2)
    assert p.per_axis("l", np.float32(2), ("y", "x")) == (2.0, 2.0)
    assert p.per_axis("l", [1, 2.5], ("y", "x")) == (1.0, 2.5)
    assert p.number_range("r", [0.1, 1], above=0, up_to=1) == (0.1, 1.0)
    assert p.fractions("v", np.full(3, 1 / 3)) == pytest.approx((1 / 3,) * 3)


@pytest.mark.parametrize("value", [(1, 2, 3), (3, 1), (0, 2), "12", None, (True, 2), (1.0, 2.0)])
def test_integer_range_refuses_other_values(value):
    with pytest.raises(InputError, match="or a pair \\(lowest, highest\\)"):
        p.integer_range("n", value, low=1)


@pytest.mark.parametrize("value", [0.5, (0, 0.5), (0.5, 2), (float("nan"), 0.5), ("a", "b")])
def test_number_range_refuses_other_values(value):
    with pytest.raises(InputError, match="0 < low <= high <= 1"):
        p.number_range("r", value, above=0, up_to=1)


@pytest.mark.parametrize("value", [0, -1.0, float("inf"), (1, 2, 3), "ab", None, True])
def test_per_axis_refuses_other_values(value):
    with pytest.raises(InputError, match="one for each of the axes y, x"):
        p.per_axis("l", value, ("y", "x"))


@pytest.mark.parametrize("value", [0.5, (0.5,), (0.5, 0.4), (1.0, 0.0), (1.5, -0.5), None])
def test_fractions_refuse_other_values(value):
    with pytest.raises(InputError, match="sum to 1"):
        p.fractions("v", value)
