"""Windows that are suggested fit, are many, and are not too many."""

from __future__ import annotations

import math

import numpy as np
import pytest

from matvae.data import open_structures, windows
from matvae.data.suggested_windows import MOST_VOXELS, suggested_windows


@pytest.mark.parametrize(
    ("n_samples", "shape", "expected"),
    [
        (1, (256, 256), (32, 8)),
        (1, (690, 1024), (64, 16)),
        (1, (986, 1376), (128, 32)),
        (1, (3000, 4000), (256, 128)),
        (1, (100, 117), (32, 8)),
        (1, (400, 400, 400), (32, 32)),
        (1, (156, 75, 75), (32, 8)),
        (1, (5000,), (64, 16)),
        (1, (70, 100_000), (64, 16)),
        (8, (256, 256), (64, 16)),
        (200, (1024, 1024), (256, 256)),
    ],
)
def test_windows_fit_by_the_dozen_and_can_be_afforded(n_samples, shape, expected):
    size, stride = suggested_windows(n_samples, shape)
    assert (size, stride) == expected
    n_windows = n_samples * math.prod((n - size) // stride + 1 for n in shape)
    assert n_windows >= 50
    assert n_windows * size ** len(shape) <= MOST_VOXELS or stride == size


@pytest.mark.parametrize(("n_samples", "shape"), [(500, (64, 64)), (60, (224, 224)), (1, (40, 300)), (3, (16, 16, 16))])
def test_sets_and_small_structures_are_left_whole(n_samples, shape):
    assert suggested_windows(n_samples, shape) is None


def test_they_are_cut_as_suggested(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 2, (150, 170)).astype(np.uint8))
    size, stride = suggested_windows(1, (150, 170))
    assert len(windows(open_structures(tmp_path / "a.npy"), size, stride=stride)) == 15 * 18
