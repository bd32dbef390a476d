from __future__ import annotations

import numpy as np
import pytest

from matvae.data.checks import check_values
from matvae.errors import InputError, StoreError


def test_labels_and_finite_numbers_are_accepted():
    check_values(np.array([[0, 1], [2, 0]], dtype=np.uint8), 3, source="x")
    check_values(np.array([[False, True]]), 2, source="x")
    check_values(np.array([[0.5, -1e30]]), 1, source="x")
    check_values(np.empty((0, 4), dtype=np.int64), 2, source="x")


@pytest.mark.parametrize("value", [-1, 3, 255])
def test_invalid_labels_are_named_with_their_samples(value):
    block = np.zeros((4, 3, 3), dtype=np.int64)
    block[1, 0, 0] = block[3, 2, 2] = value
    with pytest.raises(InputError, match=rf"labels 0 to 2, but 2 voxels of samples 11, 13 hold {value}\. Relabel"):
        check_values(block, 3, source="x", first_sample=10)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_numbers_are_refused(value):
    block = np.zeros((2, 5))
    block[1, 2] = value
    with pytest.raises(InputError, match=r"finite numbers, but 1 voxel of sample 1 holds"):
        check_values(block, 1, source="x")


def test_invalid_values_in_a_store_are_reported_as_damage():
    with pytest.raises(StoreError, match=r"sample 0 hold 255\. The store is damaged or incomplete"):
        check_values(np.full((1, 2), 255, dtype=np.uint8), 2, source="x", error=StoreError)


def test_types_must_match_the_number_of_phases():
    with pytest.raises(InputError, match="integer labels 0 to 1, but its values are float64"):
        check_values(np.zeros((1, 2)), 2, source="x")
    with pytest.raises(InputError, match="real numbers, since phases=1"):
        check_values(np.zeros((1, 2), dtype=int), 1, source="x")
