from __future__ import annotations

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.reconstruction import Reconstruction, mutual_agreement

from ..structures import blobs


def slow_share(a: np.ndarray, b: np.ndarray) -> float:
    """Largest share of equal voxels over all shifts, with and without inversion, tried one by one."""
    axes = tuple(range(a.ndim))
    shifts = list(np.ndindex(*a.shape))
    return max(np.mean(a == np.roll(c, shift, axes)) for c in (b, np.flip(b, axes)) for shift in shifts)


@pytest.mark.parametrize("shape", [(31,), (12, 15), (6, 7, 8)])
@pytest.mark.parametrize("phases", [2, 3])
def test_shifted_and_inverted_copies_agree_fully(shape, phases):
    structure = blobs(1, shape, phases)[0]
    axes = tuple(range(len(shape)))
    copies = np.stack([structure, np.roll(structure, 3, axes), np.roll(np.flip(structure, axes), 2, axes)])
    assert mutual_agreement(copies).share == 1


@pytest.mark.parametrize("shape", [(31,), (9, 10), (5, 6, 4)])
@pytest.mark.parametrize("phases", [2, 3])
def test_agreement_equals_that_at_the_best_of_all_shifts(shape, phases):
    a, b, c = blobs(3, shape, phases)
    expected = np.mean([slow_share(a, b), slow_share(a, c), slow_share(b, c)])
    assert mutual_agreement([a, b, c]).share == pytest.approx(expected)


def test_independent_structures_agree_by_chance():
    rng = np.random.default_rng(0)
    noise = (rng.random((3, 256, 256)) < 0.3).astype(np.uint8)
    agreement = mutual_agreement(noise)
    assert agreement.chance == pytest.approx(0.3**2 + 0.7**2, abs=0.01)
    # The best of 131072 shifts is about four standard deviations above the mean.
    assert agreement.chance < agreement.share < agreement.chance + 0.015


def test_windows_are_inverted_but_not_shifted():
    window = blobs(1, (12, 12))[0]
    assert mutual_agreement([window, window[::-1, ::-1]], periodic=False).share == 1
    shifted = np.roll(window, 4, 0)
    expected = max(np.mean(window == shifted), np.mean(window == shifted[::-1, ::-1]))
    assert mutual_agreement([window, shifted], periodic=False).share == expected < 1


@pytest.mark.parametrize("structures", [np.zeros((1, 8, 8), int), np.zeros((2, 8, 8)), np.zeros(8, int)])
def test_two_realizations_of_labels_are_required(structures):
    with pytest.raises(InputError, match="two or more realizations"):
        mutual_agreement(structures)


def test_each_sample_of_a_reconstruction_has_its_own_agreement():
    a, b = blobs(2, (16, 16))
    structures = np.stack([[a, np.roll(a, 5, 0)], [a, b]])
    error = np.zeros((2, 2))
    reconstruction = Reconstruction(structures, error, error, np.ones(2, bool), {}, Grid((16, 16)))
    assert reconstruction.agreement().share.tolist() == [1.0, mutual_agreement([a, b]).share]
    assert reconstruction.agreement().chance.shape == (2,)
    single = Reconstruction(structures[:, 0], error[:, 0], error[:, 0], np.ones(2, bool), {}, Grid((16, 16)))
    with pytest.raises(InputError, match="Pass n_realizations to reconstruct"):
        single.agreement()
