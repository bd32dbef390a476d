from __future__ import annotations

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.testing import Check
from matvae.testing.check import require, require_close, require_refusal


def refuse() -> None:
    raise InputError("no")


def fail() -> None:
    raise KeyError("x")


def test_a_check_has_a_name_and_runs_when_called():
    ran = []
    check = Check("shape", "mine", lambda: ran.append(1))
    assert str(check) == "mine-shape"
    assert not ran
    check()
    assert ran == [1]


def test_a_false_condition_fails_with_its_message():
    require(True, "never")
    with pytest.raises(AssertionError, match="three are expected"):
        require(np.bool_(False), "three are expected")


def test_arrays_are_compared_relative_to_the_largest_value():
    require_close([1000.0, 0], [1000.001, 0.001], "near")
    require_close(np.zeros((0, 3)), np.zeros((0, 3)), "nothing")
    with pytest.raises(AssertionError, match=r"far: values differ by up to 0\.1"):
        require_close([1.0, 0.1], [1.0, 0.0], "far")
    with pytest.raises(AssertionError, match=r"far: values differ by up to nan"):
        require_close([1.0, np.nan], [1.0, 0.0], "far")
    with pytest.raises(AssertionError, match=r"shapes are \(2,\) and \(1, 2\)"):
        require_close([1.0, 2.0], [[1.0, 2.0]], "shapes")


def test_only_an_input_error_counts_as_a_refusal():
    require_refusal(refuse, "A list")
    with pytest.raises(AssertionError, match=r"A list must raise .*InputError, but was accepted"):
        require_refusal(lambda: None, "A list")
    with pytest.raises(AssertionError, match="but raised KeyError: 'x'"):
        require_refusal(fail, "A list")
