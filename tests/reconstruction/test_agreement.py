from __future__ import annotations

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.reconstruction import Reconstruction, mutual_agreement

from ..structures import blobs


def slow_share(a: np.ndarray, b: np.ndarray) -> float:
    """Best share of equal voxels over all shifts and the inversion, one by one."""
    axes = tuple(range(a.ndim))
    shifts = list(np.ndindex(*a.shape))
    return max(np.mean(a == np.roll(c, shift, axes)) for c in (b, np.flip(b, axes)) for shift in shifts)


@pytest.mark.parametrize("shape", [(31,), (12, 15), (6, 7, 8)])
@pytest.mark.parametrize("phases", [2, 3])
def test_shifted_and_inverted_copies_agree_fully(shape, phases):
    one = blobs(1, shape, phases)[0]
    axes = tuple(range(len(shape)))
    copies = np.stack([one, np.roll(one, 3, axes), np.roll(np.flip(one, axes), 2, axes)])
    assert mutual_agreement(copies).share == 1


@pytest.mark.parametrize("shape", [(31,), (9, 10), (5, 6, 4)])
@pytest.mark.parametrize("phases", [2, 3])
def test_the_best_shift_is_that_of_all_tried_one_by_one(shape, phases):
    a, b, c = blobs(3, shape, phases)
    expected = np.mean([slow_share(a, b), slow_share(a, c), slow_share(b, c)])
    assert mutual_agreement([a, b, c]).share == pytest.approx(expected)


def test_independent_structures_agree_by_chance():
    rng = np.random.default_rng(0)
    noise = (rng.random((3, 256, 256)) < 0.3).astype(np.uint8)
    found = mutual_agreement(noise)
    assert found.chance == pytest.approx(0.3**2 + 0.7**2, abs=0.01)
    # The best of 131072 shifts is some four standard deviations above the mean.
    assert found.chance < found.share < found.chance + 0.015


def test_windows_are_compared_as_they_are_and_inverted():
    one = blobs(1, (12, 12))[0]
    assert mutual_agreement([one, one[::-1, ::-1]], periodic=False).share == 1
    shifted = np.roll(one, 4, 0)
    expected = max(np.mean(one == shifted), np.mean(one == shifted[::-1, ::-1]))
    assert mutual_agreement([one, shifted], periodic=False).share == expected < 1


@pytest.mark.parametrize("structures", [np.zeros((1, 8, 8), int), np.zeros((2, 8, 8)), np.zeros(8, int)])
def test_two_realizations_of_labels_are_needed(structures):
    with pytest.raises(InputError, match="two or more realizations"):
        mutual_agreement(structures)


def test_each_sample_of_a_reconstruction_has_its_own():
    one, other = blobs(2, (16, 16))
    structures = np.stack([[one, np.roll(one, 5, 0)], [one, other]])
    error = np.zeros((2, 2))
    found = Reconstruction(structures, error, error, np.ones(2, bool), {}, Grid((16, 16)))
    assert found.agreement().share.tolist() == [1.0, mutual_agreement([one, other]).share]
    assert found.agreement().chance.shape == (2,)
    single = Reconstruction(structures[:, 0], error[:, 0], error[:, 0], np.ones(2, bool), {}, Grid((16, 16)))
    with pytest.raises(InputError, match="Pass n_realizations to reconstruct"):
        single.agreement()
