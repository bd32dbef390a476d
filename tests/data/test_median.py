from __future__ import annotations

import statistics

import numpy as np
import pytest
from scipy import ndimage

from matvae.data.median import median_filter


@pytest.mark.parametrize(
    "shape", [(3, 50), (2, 30, 41), (1, 300, 257), (2, 9, 17, 23), (1, 2, 3, 40_000), (1, 1, 1, 1)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_medians_are_those_of_scipy(shape, dtype):
    block = (100 * np.random.default_rng(0).random(shape)).astype(dtype)
    size = (1, *(3,) * (len(shape) - 1))
    filtered = median_filter(block)
    np.testing.assert_array_equal(filtered, ndimage.median_filter(block, size, mode="nearest"))
    assert filtered.dtype == dtype


def test_only_neighbours_inside_count():
    rng = np.random.default_rng(0)
    block, inside = rng.normal(size=(1, 5, 6, 7)), rng.random((1, 5, 6, 7)) < 0.6
    filtered = median_filter(block, inside)
    values, valid = (np.pad(array[0], 1, mode="edge") for array in (block, inside))
    for z, y, x in np.argwhere(inside[0]):
        around = (slice(z, z + 3), slice(y, y + 3), slice(x, x + 3))
        assert filtered[0, z, y, x] == statistics.median_low(values[around][valid[around]].tolist())
