from __future__ import annotations

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.stats.lags import lag_ranges, lag_shape, resolve_cutoff


def test_an_axis_has_n_periodic_or_2n_minus_1_nonperiodic_lags():
    assert lag_shape((6, 5)) == (6, 5)
    assert lag_shape((6, 5), periodic=False) == (11, 9)
    assert lag_shape((6, 5, 4), cutoff=1) == (3, 3, 3)


def test_zero_lag_follows_half_of_the_periodic_or_n_minus_1_nonperiodic_lags():
    assert lag_ranges((6, 5), True, None) == ((3, 3), (2, 3))
    assert lag_ranges((6, 5), False, None) == ((5, 6), (4, 5))
    assert lag_ranges((6, 5), False, (2, 0)) == ((2, 3), (0, 1))


@pytest.mark.parametrize("cutoff", [np.int64(2), np.uint8(2), (2, 2), [2, 2], np.array([2, 2])])
def test_a_cutoff_may_be_any_kind_of_integer(cutoff):
    assert resolve_cutoff((6, 5), True, cutoff) == (2, 2)


@pytest.mark.parametrize("cutoff", [2.0, (1.5, 1), "2", True, (1,), (1, 1, 1), {"x": 1}, np.array([1.0, 1.0])])
def test_a_cutoff_that_is_not_one_integer_per_axis_is_refused(cutoff):
    with pytest.raises(InputError, match=r"one integer, or one for each of the 2 axes.*was given.*pass None"):
        resolve_cutoff((6, 5), True, cutoff)


@pytest.mark.parametrize(("periodic", "cutoff"), [(True, 3), (True, (0, 3)), (False, 6), (False, (5, 5)), (True, -1)])
def test_a_cutoff_beyond_the_window_is_refused(periodic, cutoff):
    with pytest.raises(InputError, match=r"lags beyond the window.*\(6, 5\).*Choose a smaller cutoff"):
        resolve_cutoff((6, 5), periodic, cutoff)


def test_the_largest_cutoff_is_accepted():
    assert resolve_cutoff((6, 5), True, (2, 2)) == (2, 2)
    assert resolve_cutoff((6, 5), False, (5, 4)) == (5, 4)


@pytest.mark.parametrize("periodic", [True, False, np.True_, np.False_])
def test_periodic_may_be_a_numpy_bool(periodic):
    assert lag_shape((4,), periodic) == ((4,) if periodic else (7,))


@pytest.mark.parametrize("periodic", [(True, False), None, "False", 1, np.array([True])])
def test_periodic_must_be_a_single_bool(periodic):
    with pytest.raises(InputError, match=r"periodic must be True or False.*was given.*Pass False"):
        lag_shape((4, 4), periodic)
