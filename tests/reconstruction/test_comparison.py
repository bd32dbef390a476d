from __future__ import annotations

import numpy as np
import pytest

from matvae.reconstruction.comparison import copied_share, percolating

from ..structures import blobs


def test_a_window_of_an_example_is_a_copy_and_another_structure_is_not():
    examples = blobs(2, (40, 44), width=2.0)
    window = examples[1, 9:29, 11:33]
    other = blobs(1, window.shape, seed=8, width=2.0)[0]
    shares = copied_share(np.stack([window, other]), examples)
    assert shares[0] == 1
    assert 0.5 < shares[1] < 0.95


@pytest.mark.parametrize("phases", [2, 3])
def test_the_share_is_that_of_the_best_of_all_shifts(phases):
    examples, structure = blobs(2, (12, 11), phases), blobs(1, (8, 5), phases, seed=4)
    middle = structure[0, 1:7]
    best = max(
        np.mean(example[i : i + 6, j : j + 5] == middle) for example in examples for i in range(7) for j in range(7)
    )
    assert copied_share(structure, examples)[0] == pytest.approx(best)


def test_a_phase_percolates_along_its_layers():
    layers = np.zeros((1, 6, 6, 6), np.uint8)
    layers[:, 2:4] = 1
    assert percolating(layers, 2)[0].tolist() == [[False, True, True], [False, True, True]]
