"""The labels in an array, counted without reading more than needed, and refused if they have gaps."""

from __future__ import annotations

import time

import dask.array as da
import numpy as np
import pytest

from matvae.errors import InputError
from matvae.label_values import BLOCK_VOXELS, LIMIT, count_phases, distinct_labels

KINDS = [np.asarray, lambda X: da.from_array(X, chunks=(3, *X.shape[1:])), lambda X: da.from_array(X, chunks=2)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint32])
@pytest.mark.parametrize("values", [[0], [1], [0, 1], [0, 1, 2], [0, 128], [3, 4, 5, 9], list(range(60))])
def test_the_labels_are_those_of_numpy_unique(kind, dtype, values):
    X = np.random.default_rng(0).choice(values, (7, 8, 9)).astype(dtype)
    np.testing.assert_array_equal(distinct_labels(kind(X)), np.unique(X))


@pytest.mark.parametrize("kind", KINDS)
def test_a_label_in_the_last_voxel_is_found(kind):
    X = np.zeros((5, 40, 50), np.uint8)
    X[0, 0, :2] = [1, 3]
    X[-1, -1, -1] = 2
    assert X.size > BLOCK_VOXELS
    assert distinct_labels(kind(X)).tolist() == [0, 1, 2, 3]
    assert count_phases(kind(X)) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_of_many_labels_the_smallest_and_the_largest_are_kept(kind):
    values = distinct_labels(kind(np.arange(9 * 40 * 30).reshape(9, 40, 30)))
    assert len(values) == LIMIT
    assert (values[0], values[-1]) == (0, 9 * 40 * 30 - 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("values", "phases"), [([0], 2), ([1], 2), ([0, 1], 2), ([0, 1, 2], 3), (range(255), 255)])
def test_labels_without_gaps_are_counted(kind, values, phases):
    X = np.resize(np.array(values, np.uint8), (4, 8, 9))
    assert count_phases(kind(X)) == phases


def test_booleans_are_two_phases():
    assert count_phases(np.ones((2, 3), bool)) == 2
    assert count_phases(da.zeros((2, 3), dtype=bool)) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("values", [[0, 128], [0, 2], [2], [0, 255], [0, 1, 7], [-1, 0, 1], [1, 2], [0, 1000]])
def test_gaps_are_refused_with_advice_that_works(kind, values):
    X = np.resize(np.array(values, np.int16), (6, 4, 3))
    shown = ", ".join(map(str, values))
    with pytest.raises(InputError, match=f"labels 0 to H-1, but holds {shown}\\. Relabel it") as refusal:
        count_phases(kind(X))
    advice = str(refusal.value).partition("Relabel it with ")[2].partition(", or pass")[0].rstrip(".")
    relabelled = eval(advice, {"numpy": np, "X": kind(X)})
    assert count_phases(relabelled) == max(2, len(values))
    np.testing.assert_array_equal(np.array(values)[np.asarray(relabelled)], X)


@pytest.mark.parametrize("kind", KINDS)
def test_relabelling_many_labels_works_as_advised(kind):
    X = np.resize(np.arange(0, 40, 2), (6, 5, 4))
    with pytest.raises(InputError, match=r"holds 0, 2, 4, .*, \.\.\.\. Relabel it with") as refusal:
        count_phases(kind(X))
    advice = str(refusal.value).partition("Relabel it with ")[2].partition(", or pass")[0]
    relabelled = eval(advice, {"numpy": np, "X": kind(X)})
    np.testing.assert_array_equal(np.asarray(relabelled) * 2, X)
    assert count_phases(relabelled) == 20
    assert "pass phases=39 if" in str(refusal.value)


def test_grey_images_and_colours_get_a_hint():
    grey = np.random.default_rng(0).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    with pytest.raises(InputError, match=r"different values, like those of a grey-scale image: segment it first.*RGB"):
        count_phases(grey)
    with pytest.raises(InputError, match=r"holds 0, 255.*holds the colours of RGB\(A\) images.*X\[None, \.\.\., 0\]"):
        count_phases((grey > 99) * np.uint8(255))


def test_labels_found_early_cost_little():
    """Of a large array with three labels only the first voxels are looked at."""
    X = np.resize(np.array([0, 1, 2], np.uint8), (200, 300, 300))
    started = time.perf_counter()
    assert count_phases(X) == 3
    assert time.perf_counter() - started < 0.1
