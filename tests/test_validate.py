from __future__ import annotations

import math

import numpy as np
import pytest

from matvae import validate
from matvae.errors import InputError


@pytest.mark.parametrize("value", [1, 7, np.int64(3), np.uint8(2)])
def test_integers_become_python_integers(value):
    result = validate.integer("width", value, 1)
    assert result == value
    assert type(result) is int


@pytest.mark.parametrize("value", [0, -1, 1.0, True, np.bool_(True), "3", None, np.array([1])])
def test_anything_but_an_integer_in_range_is_refused(value):
    with pytest.raises(InputError, match=r"^width must be an integer of at least 1, but .* was given\.$"):
        validate.integer("width", value, 1)


def test_the_range_of_an_integer_is_named():
    with pytest.raises(InputError, match=r"^axis must be an integer from -1 to 2, but 3 was given\.$"):
        validate.integer("axis", 3, -1, 2)


@pytest.mark.parametrize("value", [0, 0.5, 1, np.float32(0.25), np.int64(1)])
def test_real_numbers_in_range_become_python_floats(value):
    result = validate.real("mixing", value, 0.0, 1.0)
    assert result == value
    assert type(result) is float


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf, "0.5", True, np.bool_(True), None, 1j])
def test_anything_but_a_real_number_in_range_is_refused(value):
    with pytest.raises(InputError, match=r"^mixing must be a number from 0\.0 to 1\.0, but .* was given\.$"):
        validate.real("mixing", value, 0.0, 1.0)


def test_an_exclusive_limit_is_itself_refused():
    assert validate.real("tol", 1e-9, 0.0, exclusive=True) == 1e-9
    with pytest.raises(InputError, match=r"^tol must be a number above 0\.0, but 0 was given\.$"):
        validate.real("tol", 0, 0.0, exclusive=True)


@pytest.mark.parametrize("value", [True, False, np.bool_(True)])
def test_booleans_become_python_booleans(value):
    assert validate.boolean("periodic", value) is bool(value)


@pytest.mark.parametrize("value", [0, 1, "yes", None])
def test_anything_but_a_boolean_is_refused(value):
    with pytest.raises(InputError, match=r"^periodic must be True or False, but .* was given\.$"):
        validate.boolean("periodic", value)


def test_an_unknown_choice_is_refused_with_a_list_of_the_choices():
    assert validate.choice("loss", "relative", ("relative", "absolute")) == "relative"
    with pytest.raises(InputError, match=r"^loss must be one of 'relative', 'absolute', but 'relativ' was given\.$"):
        validate.choice("loss", "relativ", ("relative", "absolute"))
