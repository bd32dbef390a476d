from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.reconstruction.start import starting_labels

from ..structures import blobs
from .structures import fractions, target_of


@pytest.mark.parametrize("phases", [2, 4])
def test_random_labels_have_the_wanted_numbers_and_differ(phases):
    labels = blobs(3, (12, 11), phases)
    start = starting_labels(None, target_of(labels, phases), 5, 0).numpy()
    assert start.shape == (15, 12, 11)
    assert np.array_equal(fractions(start, phases), fractions(labels, phases).repeat(5, axis=0))
    assert len({one.tobytes() for one in start}) == 15


def test_a_seed_gives_the_same_labels_and_another_seed_others():
    target = target_of(blobs(3, (12, 11)))
    first, again, other = (starting_labels(None, target, 1, seed) for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_given_labels_are_taken_once_for_every_realization():
    labels = blobs(2, (8, 8))
    target = target_of(labels)
    assert np.array_equal(starting_labels(labels, target, 1, 0), labels)
    assert np.array_equal(starting_labels(torch.from_numpy(labels), target, 3, 0), labels.repeat(3, axis=0))
    each = np.stack([labels, labels[:, ::-1]], axis=1)
    assert np.array_equal(starting_labels(each, target, 2, 0), each.reshape(4, 8, 8))


def test_given_labels_of_other_fractions_are_changed_where_they_must():
    labels = blobs(2, (8, 8))
    target = target_of(labels)
    more = labels.copy()
    more[:, :2] = 1
    start = starting_labels(more, target, 1, 0).numpy()
    assert np.array_equal(fractions(start, 2), fractions(labels, 2))
    assert (start <= more).all()


@pytest.mark.parametrize("given", [blobs(3, (8, 8)), blobs(2, (8, 9)), blobs(2, (8, 8))[:, None, :, :, None]])
def test_labels_of_another_shape_are_refused(given):
    with pytest.raises(InputError, match=r"init must be labels of shape \(2, 8, 8\)"):
        starting_labels(given, target_of(blobs(2, (8, 8))), 1, 0)


@pytest.mark.parametrize("given", [np.full((2, 8, 8), 2), np.full((2, 8, 8), -1), np.full((2, 8, 8), 0.5)])
def test_other_labels_than_the_phases_are_refused(given):
    with pytest.raises(InputError, match="integer labels 0 to 1"):
        starting_labels(given, target_of(blobs(2, (8, 8))), 1, 0)
