"""Statistics of matvae and the installed PyMKS agree where both are defined; every known difference has a test."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from matvae import two_point_stats
from matvae.errors import InputError
from matvae.stats import default_correlations

from .cases import CASES, Case, pymks_statistics
from .parity import TOLERANCE, assert_agrees


def pymks(states: np.ndarray, **options: object) -> np.ndarray:
    """Compute the autocorrelation of state 1, ``(sample, *lag)``, with PyMKS."""
    from pymks import two_point_stats as theirs

    return theirs(states[..., 1], states[..., 1], **options)


def matvae(states: np.ndarray, **options: object) -> np.ndarray:
    return two_point_stats(states, spatial_dims=states.ndim - 2, state_axis=-1, correlations=[(1, 1)], **options)[
        ..., 0
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_statistics_agree_at_every_lag_that_both_define(case):
    assert_agrees(case, pymks_statistics(case))


def test_case_names_are_unique():
    assert len({(case.name, case.pairs) for case in CASES}) == len(CASES)
    assert len({case.name for case in CASES}) == len(CASES)


def test_wrong_result_is_detected():
    case = Case((8, 8))
    wrong = pymks_statistics(case)
    wrong[1, 2, 3, 1] += 1e-9
    with pytest.raises(AssertionError, match="Mismatched elements: 1 "):
        assert_agrees(case, wrong)


def test_statistics_of_dask_arrays_agree():
    from pymks import correlations_multiple

    case = Case((6, 9))
    states = da.from_array(case.states(), chunks=(2, 6, 9, 3))
    theirs = correlations_multiple(states, case.pairs, periodic_boundary=False, cutoff=2)
    ours = two_point_stats(states, state_axis=-1, correlations=case.pairs, periodic=False, cutoff=2)
    assert ours.chunks[0] == theirs.chunks[0] == (2, 1)
    np.testing.assert_allclose(ours.compute(), theirs.compute(), rtol=0, atol=TOLERANCE)


def test_difference_in_precision_of_labels():
    """For integer labels matvae returns PyMKS's values rounded to float32."""
    labels = np.argmax(Case((8, 8)).states(), axis=-1)
    ours = two_point_stats(labels, phases=3, cutoff=3)
    theirs = pymks(np.eye(3)[labels])
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours[..., 0], theirs.astype(np.float32))


def test_difference_in_the_last_lag_of_even_axes():
    states = Case((8, 8)).states()
    ours, theirs = matvae(states), pymks(states)
    assert ours.shape[1:] == (8, 8)
    assert theirs.shape[1:] == (7, 7)
    np.testing.assert_allclose(ours[:, 1:, 1:], theirs, rtol=0, atol=TOLERANCE)


def test_difference_in_lags_of_unequal_axes():
    states = Case((9, 5)).states()
    ours, theirs = matvae(states), pymks(states)
    assert ours.shape[1:] == (9, 5)
    assert theirs.shape[1:] == (5, 5)
    np.testing.assert_allclose(ours[:, 2:7], theirs, rtol=0, atol=TOLERANCE)


def test_difference_in_lags_without_periodicity():
    states = Case((9,)).states()
    ours, theirs = matvae(states, periodic=False), pymks(states, periodic_boundary=False)
    assert ours.shape[1:] == (17,)
    assert theirs.shape[1:] == (9,)
    np.testing.assert_allclose(ours[:, 4:13], theirs, rtol=0, atol=TOLERANCE)


def test_difference_in_cutoffs_that_are_too_large():
    """PyMKS silently uses the largest cutoff that it supports."""
    states = Case((8, 8)).states()
    assert pymks(states, cutoff=100).shape[1:] == (7, 7)
    with pytest.raises(InputError, match="asks for lags beyond the window"):
        matvae(states, cutoff=100)


def test_difference_in_cutoffs_per_axis():
    states = Case((8, 6)).states()
    assert matvae(states, cutoff=(3, 1)).shape[1:] == (7, 3)
    with pytest.raises(TypeError):
        pymks(states, cutoff=(3, 1))


@pytest.mark.parametrize("periodic", [True, False])
def test_difference_at_lags_without_pairs(periodic):
    """PyMKS divides one rounding error by another, and the quotient may look like a probability."""
    states = Case((5, 5)).states()
    mask = np.zeros((3, 5, 5))
    mask[:, 0, 0] = 1.0
    with np.errstate(all="ignore"):
        theirs = pymks(states, periodic_boundary=periodic, mask=mask)
    assert theirs.shape == (3, 5, 5)
    np.testing.assert_allclose(theirs[:, 2, 2], states[:, 0, 0, 1], atol=TOLERANCE)
    with pytest.raises(InputError, match="mask"):
        matvae(states, periodic=periodic, mask=mask, cutoff=2)


def test_difference_in_default_correlations():
    """PyMKS correlates state 0 with every state; matvae uses the pairs that determine all others."""
    from pymks import TwoPointCorrelation

    states = Case((5, 5)).states()
    theirs = TwoPointCorrelation().transform(states)
    ours = two_point_stats(states, state_axis=-1, correlations=[(0, 0), (0, 1), (0, 2)])
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE)
    assert default_correlations(3) == ((1, 1), (1, 2), (2, 2))
