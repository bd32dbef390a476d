"""Histograms over blocks equal those of whole arrays."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from matvae.data import Structures
from matvae.data.histogram import histogram_of
from matvae.errors import InputError
from matvae.grid import Grid


def fields(values, chunks=-1, mask=None):
    data = da.from_array(values, chunks=chunks)
    return Structures(data, Grid(values.shape[1:], phases=1), mask=mask)


@pytest.mark.parametrize("low", [0, -32768, 30000])
def test_whole_numbers_are_counted_one_by_one_over_all_blocks_and_parts(low):
    rng = np.random.default_rng(0)
    parts = [low + rng.integers(0, 300, (n, 9, 11)).astype(np.float32) for n in (3, 2)]
    histogram = histogram_of([fields(part, (1, 4, 5)) for part in parts])
    values, counts = np.unique(np.concatenate(parts), return_counts=True)
    assert histogram.is_exact
    np.testing.assert_array_equal(histogram.values, values)
    np.testing.assert_array_equal(histogram.counts, counts)
    assert (histogram.low, histogram.high) == (values[0], values[-1])


def test_real_numbers_are_counted_in_bins_from_the_smallest_to_the_largest_of_all_blocks():
    values = np.random.default_rng(0).normal(size=(1, 40, 50))
    histogram = histogram_of([fields(values, (1, 7, 50))])
    counts, edges = np.histogram(values, 4096)
    assert not histogram.is_exact
    np.testing.assert_array_equal(histogram.counts, counts)
    np.testing.assert_allclose(histogram.values, (edges[1:] + edges[:-1]) / 2)


def test_only_voxels_inside_the_mask_are_counted():
    values = np.arange(24.0).reshape(1, 4, 6)
    mask = values > 12
    histogram = histogram_of([fields(values, (1, 2, 3), mask)])
    np.testing.assert_array_equal(histogram.values, np.arange(13, 24))
    with pytest.raises(InputError, match="none does"):
        histogram_of([fields(values, mask=np.zeros_like(mask))])


@pytest.mark.parametrize("spread", [0.01, 40.0, 900.0])
def test_even_bins_hold_all_voxels(spread):
    values = np.random.default_rng(0).normal(500, spread, size=(1, 40, 50))
    for given in (values, values.round()):
        histogram = histogram_of([fields(given)])
        even = histogram.even(64)
        assert len(even.values) <= 64
        assert even.counts.sum() == 2000
        steps = np.diff(even.values)
        np.testing.assert_allclose(steps, steps[:1].repeat(len(steps)))
        assert np.average(even.values, weights=even.counts) == pytest.approx(given.mean(), abs=spread / 8 + 0.01)


def test_few_whole_numbers_have_a_bin_each_even_if_some_do_not_occur():
    histogram = histogram_of([fields(np.array([[3.0, 3, 5, 9]]))]).even(8)
    np.testing.assert_array_equal(histogram.values, np.arange(3, 10))
    np.testing.assert_array_equal(histogram.counts, [2, 0, 1, 0, 0, 0, 1])
