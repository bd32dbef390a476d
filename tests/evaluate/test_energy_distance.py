"""The energy distance equals its definition, and its bootstrap interval that of resampled sets."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.data import sample_blocks
from matvae.errors import InputError
from matvae.evaluate.energy_distance import energy_distance


def slow(x, y):
    """Energy distance by loops over pairs, without those of a member and itself."""

    def distance(a, b):
        return np.sqrt(np.mean(np.square(np.atleast_1d(a) - np.atleast_1d(b))))

    between = np.mean([distance(a, b) for a in x for b in y])
    within = [np.mean([distance(z[i], z[j]) for i in range(len(z)) for j in range(len(z)) if i != j]) for z in (x, y)]
    return 2 * between - sum(within)


@pytest.mark.parametrize("coordinates", [(), (1,), (5,)])
def test_the_energy_distance_equals_its_definition(coordinates):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, *coordinates)), 0.5 + rng.normal(size=(11, *coordinates))
    assert energy_distance(x, y).value == pytest.approx(slow(x, y))
    assert energy_distance(x, y).interval is None


def test_two_points_are_twice_their_distance_apart():
    assert energy_distance(np.zeros(3), np.full(4, 2.5)).value == pytest.approx(5)


def test_the_distance_is_twice_the_integrated_squared_difference_of_distribution_functions():
    # Szekely & Rizzo (2013), in one dimension; for uniform distributions on [0, 1] and [s, 1 + s] it is s^2 - s^3 / 3.
    n, s = 2000, 0.4
    x = (np.arange(n) + 0.5) / n
    assert energy_distance(x, x + s).value == pytest.approx(2 * (s**2 - s**3 / 3), rel=5e-3)


def test_sets_from_one_distribution_have_mean_distance_zero_for_any_sizes():
    rng = np.random.default_rng(1)
    for n, m in ((3, 30), (8, 8)):
        distances = [energy_distance(rng.normal(size=n), rng.normal(size=m)).value for _ in range(2000)]
        standard_error = np.std(distances) / np.sqrt(2000)
        assert abs(np.mean(distances)) < 4 * standard_error


def test_blocks_of_rows_do_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(15, 3))
    whole = energy_distance(x, y, n_bootstrap=10)
    monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 8 * 15 * 3)
    blocks = energy_distance(x, y, n_bootstrap=10)
    assert blocks.value == pytest.approx(whole.value)
    assert blocks.interval == pytest.approx(whole.interval)


def test_the_interval_equals_that_of_resampled_sets():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=9), 1 + rng.normal(size=12)
    weights = np.random.default_rng(5)
    drawn = [weights.multinomial(n, np.full(n, 1 / n), size=50) for n in (9, 12)]
    expected = []
    for w, v in zip(*drawn, strict=True):
        within = []
        for values, counts in ((x, w), (y, v)):
            pairs = [(i, j) for i in range(len(values)) for j in range(len(values)) if i != j]
            total = sum(counts[i] * counts[j] * abs(values[i] - values[j]) for i, j in pairs)
            within.append(total / sum(counts[i] * counts[j] for i, j in pairs))
        between = np.mean(np.abs(np.repeat(x, w)[:, None] - np.repeat(y, v)))
        expected.append(2 * between - sum(within))
    distance = energy_distance(x, y, n_bootstrap=50, random_state=5)
    assert distance.interval == pytest.approx(tuple(np.percentile(expected, [2.5, 97.5])))
    assert distance == energy_distance(x, y, n_bootstrap=50, random_state=5)
    assert distance != energy_distance(x, y, n_bootstrap=50, random_state=6)


def test_the_interval_covers_the_true_distance():
    # Normal distributions one standard deviation apart: 2 E|X - Y| - 2 E|X - X'|, means of folded normals.
    true = 2 * (2 * np.exp(-1 / 4) / np.sqrt(np.pi) + 0.5204998778130465) - 4 / np.sqrt(np.pi)
    rng = np.random.default_rng(4)
    covered = 0
    for seed in range(200):
        low, high = energy_distance(
            rng.normal(size=40), 1 + rng.normal(size=40), n_bootstrap=200, random_state=seed
        ).interval
        covered += low <= true <= high
    assert 175 <= covered <= 200


@pytest.mark.parametrize("x", [np.zeros(1), np.array([0, np.nan]), np.zeros((2, 3, 4))])
def test_sets_without_two_finite_members_are_refused(x):
    with pytest.raises(InputError, match="Two or more finite numbers"):
        energy_distance(x, np.zeros(3))


def test_curves_of_different_lengths_are_refused():
    with pytest.raises(InputError, match="lengths 2 and 3"):
        energy_distance(np.zeros((2, 2)), np.zeros((2, 3)))
