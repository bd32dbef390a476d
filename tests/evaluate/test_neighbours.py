"""Neighbours found block by block are those of comparing every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matvae import two_point_stats
from matvae.errors import InputError
from matvae.evaluate import Nearest
from matvae.evaluate.neighbours import (
    distances_between,
    find_neighbours,
    mean_squared_difference,
    phase_fields,
)

from ..structures import lines


def statistics(X: np.ndarray) -> np.ndarray:
    return two_point_stats(X, phases=2)


def compare_every_pair(queries: np.ndarray, candidates: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    f, g = (array.reshape(len(array), -1).astype(np.float64) for array in (queries, candidates))
    distance = np.array([[np.square(a - b).mean() for b in g] for a in f])
    index = np.argsort(distance, axis=1, kind="stable")[:, :k]
    return index, np.take_along_axis(distance, index, axis=1)


def search(queries, candidates, k, size, features=None) -> Nearest:
    nearest = Nearest(queries, k, features=features)
    for start in range(0, len(candidates), size):
        nearest.add(candidates[start : start + size], start)
    return nearest


@pytest.mark.parametrize("features", [None, statistics])
@pytest.mark.parametrize("size", [1, 7, 200])
def test_neighbours_are_those_of_comparing_every_pair(features, size):
    X = lines(212)
    queries, candidates = X[:12], X[12:]
    nearest = search(queries, candidates, 5, size, features)
    compared = (queries, candidates) if features is None else (features(queries), features(candidates))
    index, distance = compare_every_pair(*compared, 5)
    np.testing.assert_array_equal(nearest.index, index)
    np.testing.assert_array_equal(nearest.distance, distance)
    np.testing.assert_array_equal(nearest.structures, candidates[index])
    assert nearest.n_candidates == 200


@given(st.integers(0, 2**16), st.integers(1, 9), st.integers(1, 6))
def test_differences_far_below_float32_decide(seed, size, k):
    """Candidates that nearly equal the query and each other, and that all have a duplicate."""
    rng = np.random.default_rng(seed)
    query = 1 + rng.random((1, 4, 5))
    candidates = query + 1e-9 * rng.normal(size=(10, 4, 5))
    candidates = np.concatenate([candidates, candidates[::-1]])
    nearest = search(query, candidates, k, size)
    index, distance = compare_every_pair(query, candidates, k)
    np.testing.assert_array_equal(nearest.index, index)
    np.testing.assert_allclose(nearest.distance, distance, rtol=1e-12)


def test_bounds_hold_where_a_plain_float32_product_would_not():
    """Long vectors of one sign: rounding errors of float32 grow with their length unless sums are split."""
    rng = np.random.default_rng(0)
    queries = rng.random((2, 300_000)).astype(np.float32)
    block = queries[:1] + rng.normal(size=(3, 300_000)).astype(np.float32) * 1e-3
    low, high = Nearest(queries, 1)._bounds(block)
    true = np.array([[np.square(q.astype(float) - b).mean() for b in block] for q in queries])
    assert (low <= true).all()
    assert (true <= high).all()
    assert (high - low).max() < 3e-3 * np.square(queries).mean()


def test_among_equal_candidates_the_earlier_comes_first_in_any_order_of_blocks():
    X = lines(3)
    nearest = Nearest(X[:1], 3)
    nearest.add(X[[1, 0]], 10)
    nearest.add(X[[0, 2, 0]], 2)
    assert nearest.index.tolist() == [[2, 4, 11]]
    assert nearest.distance.tolist() == [[0.0, 0.0, 0.0]]


def test_the_distance_of_two_phases_is_the_fraction_of_voxels_that_differ():
    query, candidate = np.zeros((1, 8, 8), np.uint8), np.zeros((1, 8, 8), np.uint8)
    candidate[0, 0, :6] = 1
    assert search(query, candidate, 1, 1).distance.tolist() == [[6 / 64]]


def test_shifted_structures_are_equal_in_their_statistics():
    X = lines(20)
    moved = np.roll(X, (5, 11), (1, 2))
    assert search(X, moved, 1, 6, statistics).index.ravel().tolist() == list(range(20))
    assert not search(X, moved, 1, 6, statistics).distance.any()
    assert search(X, moved, 1, 6).distance.all()


def test_too_few_candidates_are_all_neighbours():
    X = lines(5)
    nearest = search(X[:2], X[2:4], 4, 1)
    assert nearest.index.shape == (2, 2)
    assert nearest.structures.shape == (2, 2, 32, 32)
    none = Nearest(X[:2], 4)
    none.add(X[:0], 0)
    assert none.index.shape == none.distance.shape == (2, 0)
    assert none.structures.shape == (2, 0, 32, 32)


def test_neighbours_do_not_change_with_their_block():
    X = lines(4)
    nearest = Nearest(X[:1], 1)
    block = X[1:].copy()
    nearest.add(block, 0)
    expected = nearest.structures.copy()
    block[:] = 0
    np.testing.assert_array_equal(nearest.structures, expected)


def test_bad_input_is_refused():
    X = lines(2)
    with pytest.raises(InputError, match="k must be an integer of at least 1"):
        Nearest(X, 0)
    with pytest.raises(InputError, match=r"\(query, \*space\) are expected"):
        Nearest(X[:0], 1)
    nearest = Nearest(X, 1)
    with pytest.raises(InputError, match=r"shape \(32, 32\) are expected, .* but \(16, 32\) was given"):
        nearest.add(X[:, :16], 0)
    field = np.full((1, 32, 32), np.nan)
    with pytest.raises(InputError, match="must be finite"):
        nearest.add(field, 0)
    assert nearest.n_candidates == 0


def test_neighbours_by_image_and_by_statistics_are_those_of_comparing_every_pair(model, training, unseen, block_of):
    block_of(7)
    queries, candidates, progress = unseen.data.compute(), training.data.compute(), []
    searches = find_neighbours(model, queries, training, 3, progress=lambda done, total: progress.append((done, total)))
    assert progress == [(7, 40), (14, 40), (21, 40), (28, 40), (35, 40), (40, 40)]
    for name, features in (("image", np.asarray), ("statistics", model.statistics)):
        index, distance = compare_every_pair(features(queries), features(candidates), 3)
        np.testing.assert_array_equal(searches[name].index, index)
        np.testing.assert_allclose(searches[name].distance, distance)
        np.testing.assert_array_equal(searches[name].structures, candidates[index])


def test_pairs_differ_by_the_same_measures(model, unseen):
    X = unseen.data.compute()
    reconstructions = model.inverse_transform(model.transform(X))
    distances = distances_between(model, X, reconstructions)
    np.testing.assert_allclose(distances["image"], (reconstructions != X).mean((1, 2)))
    f, g = (model.statistics(labels).astype(float) for labels in (X, reconstructions))
    np.testing.assert_allclose(distances["statistics"], np.square(f - g).mean((1, 2, 3)))


@pytest.mark.parametrize("phases", [2, 3, 5])
def test_voxels_of_different_phases_are_equally_different(phases):
    labels, others = np.random.default_rng(0).integers(0, phases, (2, 4, 6, 6))
    fraction = (labels != others).reshape(4, -1).mean(1)
    distance = mean_squared_difference(phase_fields(labels, phases), phase_fields(others, phases))
    np.testing.assert_allclose(distance, 2 * fraction / phases)


def test_fields_are_compared_unchanged():
    field = np.random.default_rng(0).normal(size=(2, 8))
    assert phase_fields(field, 1) is field
