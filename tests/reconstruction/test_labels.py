from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from matvae.reconstruction.labels import count_voxels, indicators, nearest_labels, rough_indicators

from ..structures import blobs
from .structures import fractions


def noise(n: int, phases: int, *space: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, phases, *space, generator=torch.Generator().manual_seed(seed))


def gain(fields: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Field of each voxel's own phase, summed over voxels; nearest labels maximize it."""
    return fields.gather(1, labels.unsqueeze(1)).flatten(1).sum(1)


def best_gain(field: np.ndarray, counts: list[int]) -> float:
    """Largest gain over all labellings of a tiny structure with the given numbers of voxels."""
    n = field.shape[1]
    labellings = (np.array(labels) for labels in itertools.product(range(len(counts)), repeat=n))
    allowed = [labels for labels in labellings if np.bincount(labels, minlength=len(counts)).tolist() == counts]
    return max(float(field[labels, np.arange(n)].sum()) for labels in allowed)


@pytest.mark.parametrize("counts", [[4, 4], [1, 7], [0, 8], [8, 0]])
def test_labels_of_two_phases_are_the_best_of_all_labellings(counts):
    fields = noise(20, 2, 8)
    labels = nearest_labels(fields, torch.tensor([counts] * 20))
    best = [best_gain(field, counts) for field in fields.numpy()]
    np.testing.assert_allclose(gain(fields, labels), best, rtol=1e-6)


@pytest.mark.parametrize("counts", [[3, 3, 2], [1, 2, 5], [0, 4, 4]])
def test_labels_of_three_phases_are_nearly_the_best_of_all_labellings(counts):
    fields = noise(20, 3, 8)
    reached = gain(fields, nearest_labels(fields, torch.tensor([counts] * 20))).numpy()
    best = np.array([best_gain(field, counts) for field in fields.numpy()])
    assert (reached <= best + 1e-5).all()
    assert (reached / best).mean() > 0.98


def test_voxels_are_counted_by_phase():
    labels = torch.tensor([[[0, 1, 1], [2, 1, 0]], [[2, 2, 2], [2, 2, 2]]], dtype=torch.uint8)
    assert count_voxels(labels, 4).tolist() == [[2, 3, 1, 0], [0, 0, 6, 0]]


@pytest.mark.parametrize("phases", [2, 3, 5])
def test_numbers_of_voxels_are_exact(phases):
    rng = np.random.default_rng(0)
    counts = torch.from_numpy(rng.multinomial(13 * 11, np.full(phases, 1 / phases), size=30))
    labels = nearest_labels(noise(30, phases, 13, 11), counts)
    assert np.array_equal(fractions(labels.numpy(), phases), counts.numpy())


@pytest.mark.parametrize("phases", [2, 3, 5])
@pytest.mark.parametrize("shape", [(12,), (9, 8), (5, 6, 4)])
def test_a_structure_is_nearest_to_its_own_indicators(phases, shape):
    structures = torch.from_numpy(blobs(4, shape, phases)).long()
    counts = torch.from_numpy(fractions(structures.numpy(), phases))
    assert torch.equal(nearest_labels(indicators(structures, phases), counts), structures)


def test_ties_are_resolved_in_the_order_of_voxels():
    labels = nearest_labels(torch.zeros(1, 2, 6), torch.tensor([[4, 2]]))
    assert labels.tolist() == [[1, 1, 0, 0, 0, 0]]


@pytest.mark.parametrize("phases", [2, 4])
def test_rough_indicators_nearly_equal_those_of_the_nearest_labels(phases):
    fields = noise(5, phases, 40, 40)
    share = torch.arange(1, phases + 1) / sum(range(1, phases + 1))
    counts = torch.round(share * 1600).long()
    counts[-1] += 1600 - counts.sum()
    counts = counts.expand(5, phases)
    offsets = torch.zeros(5, phases)
    for _ in range(10):
        rough = rough_indicators(fields, counts, offsets)
    assert torch.equal(rough.sum(1), torch.ones(5, 40, 40))
    assert (rough.flatten(2).sum(2) - counts).abs().max() <= 0.01 * 1600
    exact = indicators(nearest_labels(fields, counts), phases)
    assert (rough == exact).float().mean() > 0.99


def test_indicators_are_one_where_the_phase_is():
    labels = torch.tensor([[0, 2, 1]])
    assert indicators(labels, 3).tolist() == [[[1, 0, 0], [0, 0, 1], [0, 1, 0]]]
