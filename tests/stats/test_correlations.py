from __future__ import annotations

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.stats import default_correlations, resolve_correlations, two_point_stats

from ..structures import one_hot
from .oracle import direct_statistics


@pytest.mark.parametrize("phases", [2, 3, 4, 7])
def test_the_default_set_has_one_pair_for_every_two_phases(phases):
    pairs = default_correlations(phases)
    assert len(pairs) == len(set(pairs)) == phases * (phases - 1) // 2
    assert all(1 <= i <= j < phases for i, j in pairs)


def test_two_phases_and_a_field_have_one_autocorrelation():
    assert default_correlations(2) == ((1, 1),)
    assert default_correlations(1) == ((0, 0),)


def test_the_default_set_determines_all_others():
    labels = np.random.default_rng(0).integers(0, 3, (2, 6, 5))
    f = dict(zip(default_correlations(3), np.moveaxis(two_point_stats(labels), -1, 0), strict=True))
    expected = direct_statistics(one_hot(labels, 3), [(0, 0), (0, 1), (1, 2), (2, 2)])
    two_one = direct_statistics(one_hot(labels, 3), [(2, 1)])[..., 0]
    fractions = {h: f[h, h][:, 3, 2][:, None, None] for h in (1, 2)}
    zero_one = fractions[1] - f[1, 1] - two_one
    zero_two = fractions[2] - f[1, 2] - f[2, 2]
    zero_zero = (1 - fractions[1] - fractions[2]) - zero_one - zero_two
    np.testing.assert_allclose(zero_one, expected[..., 1], atol=1e-6)
    np.testing.assert_allclose(zero_zero, expected[..., 0], atol=1e-6)


@pytest.mark.parametrize("pairs", [[(0, 1)], [[0, 1]], np.array([[0, 1]]), ((np.uint8(0), np.int64(1)),)])
def test_pairs_may_be_any_kind_of_integer(pairs):
    resolved = resolve_correlations(pairs, 2)
    assert resolved == ((0, 1),)
    assert all(type(state) is int for pair in resolved for state in pair)


@pytest.mark.parametrize("pairs", [(0, 1), [(0, 1, 1)], [(0.0, 1.0)], [(0, 0.7)], ["01"], 3, [("0", "1")]])
def test_anything_but_a_list_of_pairs_is_refused(pairs):
    with pytest.raises(InputError, match=r"list of pairs of phases such as \[\(0, 0\), \(0, 1\)\].*was given"):
        resolve_correlations(pairs, 2)


def test_an_empty_list_is_refused():
    with pytest.raises(InputError, match="empty: name at least one pair, or pass None"):
        resolve_correlations([], 2)


@pytest.mark.parametrize("pairs", [[(0, 2)], [(-1, 0)], [(0, 0), (5, 2)]])
def test_absent_phases_are_named(pairs):
    with pytest.raises(InputError, match=r"local states \[.*\], but there are only 2: 0 to 1.*Leave these pairs out"):
        resolve_correlations(pairs, 2)
