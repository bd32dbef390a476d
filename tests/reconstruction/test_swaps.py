from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.reconstruction.labels import indicators
from matvae.reconstruction.swaps import refine

from ..structures import blobs
from .structures import fractions, target_of


def damaged(labels: np.ndarray, n_swaps: int, seed: int = 0) -> np.ndarray:
    """Structures in each of which `n_swaps` random pairs of voxels are swapped."""
    rng = np.random.default_rng(seed)
    flat = labels.reshape(len(labels), -1).copy()
    for row in flat:
        a, b = rng.permutation(row.size)[: 2 * n_swaps].reshape(2, -1)
        row[a], row[b] = row[b].copy(), row[a].copy()
    return flat.reshape(labels.shape)


@pytest.mark.parametrize("phases", [2, 3, 5])
@pytest.mark.parametrize("periodic", [True, False])
def test_the_error_never_rises_and_volume_fractions_are_kept(phases, periodic):
    labels = blobs(6, (16, 16), phases)
    target = target_of(labels, phases, periodic, cutoff=5)
    start = torch.from_numpy(damaged(labels, 12)).long()
    before = target.squared_errors(indicators(start, phases))
    for rounds in (1, 3, 10, 30):
        after, error = refine(start, target.squared_errors, phases, rounds=rounds)
        assert (error <= before).all()
        np.testing.assert_allclose(error, target.squared_errors(indicators(after, phases)), rtol=1e-4, atol=1e-12)
        assert np.array_equal(fractions(after.numpy(), phases), fractions(labels, phases))
    assert error.mean() < 0.1 * before.mean()


def test_a_damaged_structure_is_repaired():
    labels = blobs(8, (24, 24))
    start = torch.from_numpy(damaged(labels, 2)).long()
    assert not np.array_equal(start.numpy(), labels)
    after, error = refine(start, target_of(labels).squared_errors, 2, rounds=60, start=0.002)
    assert np.array_equal(after.numpy(), labels)
    assert (error < 1e-9).all()


def test_a_structure_without_error_is_unchanged():
    labels = torch.from_numpy(blobs(3, (16, 16))).long()
    after, _ = refine(labels, target_of(labels.numpy()).squared_errors, 2, rounds=10, enough=1e-9)
    assert torch.equal(after, labels)


def test_nothing_is_swapped_if_the_error_is_small_enough():
    labels = blobs(2, (16, 16))
    start = torch.from_numpy(damaged(labels, 10)).long()
    target = target_of(labels)
    after, error = refine(start, target.squared_errors, 2, rounds=10, enough=1e9)
    assert torch.equal(after, start)
    np.testing.assert_allclose(error, target.squared_errors(indicators(start, 2)))


@pytest.mark.parametrize("phases", [2, 3])
def test_fixed_voxels_keep_their_phase(phases):
    labels = blobs(4, (16, 16), phases)
    start = torch.from_numpy(damaged(labels, 20)).long()
    fixed = torch.zeros(16, 16, dtype=torch.bool)
    fixed[:, :5] = True
    target = target_of(labels, phases)
    after, error = refine(start, target.squared_errors, phases, rounds=30, fixed=fixed)
    assert torch.equal(after[:, fixed], start[:, fixed])
    assert (error < target.squared_errors(indicators(start, phases))).all()


def test_an_absent_phase_remains_absent():
    labels = blobs(2, (12, 12))
    start = torch.from_numpy(damaged(labels, 8)).long()
    target = target_of(labels, 3)
    after, _ = refine(start, target.squared_errors, 3, rounds=30)
    assert not (after == 2).any()
