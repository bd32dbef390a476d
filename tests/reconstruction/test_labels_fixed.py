from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from matvae.reconstruction.labels import nearest_labels, rough_indicators

from ..structures import blobs
from .structures import fractions


def random_case(phases: int, voxels: int, seed: int):
    rng = np.random.default_rng(seed)
    fields = torch.from_numpy(rng.standard_normal((1, phases, voxels)).astype(np.float32))
    labels = rng.permutation(np.arange(voxels) % phases)
    counts = torch.from_numpy(np.bincount(labels, minlength=phases)[None])
    fixed = np.full((1, voxels), 255, np.uint8)
    places = rng.permutation(voxels)[: voxels // 3]
    fixed[0, places] = labels[places]
    return fields, counts, torch.from_numpy(fixed)


def best_by_trying_all(fields, counts, fixed) -> float:
    """Largest sum of fields over all labels with these counts and fixed voxels."""
    own, held = fields[0].numpy(), fixed[0].numpy()
    best = -np.inf
    for combination in itertools.product(range(len(own)), repeat=own.shape[1]):
        labels = np.array(combination)
        if (np.bincount(labels, minlength=len(own)) == counts[0].numpy()).all() and (labels == held)[held != 255].all():
            best = max(best, own[labels, np.arange(own.shape[1])].sum())
    return best


@pytest.mark.parametrize("seed", range(8))
def test_labels_of_two_phases_are_the_nearest_with_these_fixed_voxels(seed):
    fields, counts, fixed = random_case(2, 9, seed)
    labels = nearest_labels(fields, counts, fixed=fixed)
    assert np.array_equal(fractions(labels.numpy(), 2), counts.numpy())
    assert torch.equal(labels[fixed != 255], fixed[fixed != 255].long())
    reached = float(fields[0].gather(0, labels).sum())
    assert reached == pytest.approx(best_by_trying_all(fields, counts, fixed), abs=1e-5)


@pytest.mark.parametrize("phases", [2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_counts_and_fixed_voxels_are_exact_for_any_fields(phases, seed):
    fields, counts, fixed = random_case(phases, 60, seed)
    # The fields favour phase 0 everywhere, also where another phase is fixed.
    fields[:, 0] += 5
    labels = nearest_labels(fields, counts, fixed=fixed)
    assert np.array_equal(fractions(labels.numpy(), phases), counts.numpy())
    assert torch.equal(labels[fixed != 255], fixed[fixed != 255].long())


def test_all_voxels_of_a_structure_or_of_one_phase_can_be_fixed():
    labels = torch.from_numpy(blobs(1, (8, 8), 3).astype(np.int64))
    counts = torch.from_numpy(fractions(labels.numpy(), 3))
    fields = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(nearest_labels(fields, counts, fixed=labels), labels)
    only = torch.where(labels == 1, 1, 255)
    assert torch.equal(nearest_labels(fields, counts, fixed=only) == 1, labels == 1)


@pytest.mark.parametrize("phases", [2, 3])
def test_rough_indicators_have_the_fixed_voxels(phases):
    fields, counts, fixed = random_case(phases, 300, 0)
    rough = rough_indicators(fields, counts, torch.zeros(1, phases), fixed)
    labels = rough.argmax(1)
    assert torch.equal(labels[fixed != 255], fixed[fixed != 255].long())
    assert (rough.sum(1) == 1).all()
    assert np.abs(fractions(labels.numpy(), phases) - counts.numpy()).max() < 15
