"""Weights of the lags, and the variance that they assign to zero lag and to short, medium and all lags."""

import numpy as np
import pytest

from matvae.stats.metric import lag_balls, lag_lengths, lag_weights


def test_lag_lengths_count_from_the_centre() -> None:
    lengths = lag_lengths((5, 4))
    assert lengths[2, 2] == 0
    assert lengths[0, 2] == lengths[2, 0] == 2
    np.testing.assert_allclose(lengths[1, 1], np.sqrt(2))


def test_balls_are_nested_and_reach_a_quarter_and_a_half_of_the_largest_lag() -> None:
    zero, short, medium, every = lag_balls((65, 65))
    lengths = lag_lengths((65, 65))
    assert zero.sum() == 1
    assert [lengths[ball].max() for ball in (zero, short, medium)] == [0, 8, 16]
    assert every.all()
    assert not (short & ~medium).any()


@pytest.mark.parametrize("lag_shape", [(65, 65), (33, 17), (9, 9, 9), (21,)])
def test_every_ball_contributes_the_same_variance(lag_shape: tuple[int, ...]) -> None:
    variance = np.random.default_rng(0).uniform(0.5, 2, (*lag_shape, 2))
    weights = lag_weights(variance)
    # Each ball adds its own weights, which are constant within it.
    lengths = lag_lengths(lag_shape)
    levels = [weights[lengths == r].mean() for r in np.unique(lengths)]
    assert (np.diff(levels) <= 1e-12).all(), "weights fall with the length of the lag"
    steps = np.unique(weights)[::-1]
    assert len(steps) == len({int(ball.sum()) for ball in lag_balls(lag_shape)})
    shares = np.diff([0.0, *steps[::-1]])[::-1]
    balls = lag_balls(lag_shape)
    contributions = [share * variance[ball].sum() for share, ball in zip(shares, balls, strict=True)]
    np.testing.assert_allclose(contributions, contributions[0])


def test_the_total_variance_is_preserved() -> None:
    variance = np.random.default_rng(1).uniform(0.1, 3, (17, 17, 3))
    np.testing.assert_allclose((lag_weights(variance) * variance).sum(), variance.sum())


def test_the_plain_metric_weights_all_lags_equally() -> None:
    variance = np.random.default_rng(2).uniform(size=(9, 9, 1))
    assert (lag_weights(variance, "plain") == 1).all()


def test_constant_statistics_have_equal_weights() -> None:
    assert (lag_weights(np.zeros((9, 9, 1))) == 1).all()
