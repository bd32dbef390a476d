"""Registration undoes shifts and inversions."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.evaluate import register


@pytest.mark.parametrize("shape", [(9,), (8, 7), (4, 6, 5)])
def test_a_shifted_and_inverted_structure_is_registered_onto_the_original(shape):
    rng = np.random.default_rng(0)
    X = (rng.random((5, *shape)) < 0.3).astype(np.uint8)
    axes = tuple(range(1, X.ndim))
    shifted = np.roll(X, [3] * len(shape), axes)
    np.testing.assert_array_equal(register(shifted, X), X)
    np.testing.assert_array_equal(register(np.flip(shifted, axes), X), X)


def test_every_label_except_0_is_the_phase():
    X = np.zeros((1, 6, 6), np.uint8)
    X[0, 1, 2:5] = 2
    moved = register(X, np.roll(X, 2, 1))
    np.testing.assert_array_equal(moved, np.roll(X, 2, 1) != 0)


def test_other_shapes_are_refused():
    with pytest.raises(InputError, match="equal shape"):
        register(np.zeros((2, 4, 4), np.uint8), np.zeros((2, 4, 5), np.uint8))
