from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.reconstruction.start import starting_labels

from ..structures import blobs
from .structures import fractions, target_of


@pytest.mark.parametrize("phases", [2, 4])
def test_random_labels_differ_and_have_the_numbers_of_voxels_of_the_target(phases):
    labels = blobs(3, (12, 11), phases)
    start = starting_labels(None, target_of(labels, phases), 5, 0).numpy()
    assert start.shape == (15, 12, 11)
    assert np.array_equal(fractions(start, phases), fractions(labels, phases).repeat(5, axis=0))
    assert len({labels.tobytes() for labels in start}) == 15


def test_labels_are_reproducible_and_depend_on_the_seed():
    target = target_of(blobs(3, (12, 11)))
    first, repeated, other = (starting_labels(None, target, 1, seed) for seed in (7, 7, 8))
    assert torch.equal(first, repeated)
    assert not torch.equal(first, other)


def test_initial_labels_are_used_for_every_realization():
    labels = blobs(2, (8, 8))
    target = target_of(labels)
    assert np.array_equal(starting_labels(labels, target, 1, 0), labels)
    assert np.array_equal(starting_labels(torch.from_numpy(labels), target, 3, 0), labels.repeat(3, axis=0))
    each = np.stack([labels, labels[:, ::-1]], axis=1)
    assert np.array_equal(starting_labels(each, target, 2, 0), each.reshape(4, 8, 8))


def test_initial_labels_with_other_volume_fractions_are_corrected():
    labels = blobs(2, (8, 8))
    target = target_of(labels)
    more = labels.copy()
    more[:, :2] = 1
    start = starting_labels(more, target, 1, 0).numpy()
    assert np.array_equal(fractions(start, 2), fractions(labels, 2))
    assert (start <= more).all()


@pytest.mark.parametrize("init", [blobs(3, (8, 8)), blobs(2, (8, 9)), blobs(2, (8, 8))[:, None, :, :, None]])
def test_labels_of_another_shape_are_refused(init):
    with pytest.raises(InputError, match=r"init must be labels of shape \(2, 8, 8\)"):
        starting_labels(init, target_of(blobs(2, (8, 8))), 1, 0)


@pytest.mark.parametrize("init", [np.full((2, 8, 8), 2), np.full((2, 8, 8), -1), np.full((2, 8, 8), 0.5)])
def test_labels_other_than_those_of_the_phases_are_refused(init):
    with pytest.raises(InputError, match="integer labels 0 to 1"):
        starting_labels(init, target_of(blobs(2, (8, 8))), 1, 0)
