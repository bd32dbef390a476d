from __future__ import annotations

import numpy as np
import torch

from matvae.grid import Grid
from matvae.reconstruction.from_examples import read_examples
from matvae.reconstruction.labels import FREE, indicators, nearest_labels
from matvae.reconstruction.voting import vote, vote_again
from matvae.stats import relative_error

from ..structures import blobs
from .structures import CPU, target_of

SOURCE = blobs(3, (64, 64), width=2.5)
STRUCTURES = blobs(2, (48, 48), seed=3, width=2.5)
TARGET = target_of(STRUCTURES, cutoff=12)
PREPARED = read_examples(SOURCE, "auto", Grid((48, 48)), CPU).prepare(0)
NOISE = torch.from_numpy(np.random.default_rng(0).permuted(STRUCTURES.reshape(2, -1), axis=1).reshape(2, 48, 48))


def test_voted_fields_have_nearly_the_target_statistics_and_volume_fractions():
    voted = vote(TARGET, NOISE, PREPARED.stages, [(0, 0), (0, 1)])
    assert float(voted.min()) >= 0
    assert float(voted.max()) <= 1 + 1e-6
    torch.testing.assert_close(voted.sum(1), torch.ones(2, 48, 48))
    assert float((voted.mean((2, 3)) - TARGET.counts / 48**2).abs().max()) < 0.03
    assert float(relative_error(TARGET.statistics, TARGET.of(voted)).max()) < 0.15
    assert float(relative_error(TARGET.statistics, TARGET.of(indicators(NOISE, 2))).min()) > 0.2


def test_samples_depend_on_their_own_seed_only():
    both = vote(TARGET, NOISE, PREPARED.stages[:1], [(0, 0), (0, 1)])
    second = vote(TARGET.select(slice(1, 2)), NOISE[1:], PREPARED.stages[:1], [(0, 1)])
    torch.testing.assert_close(second, both[1:], atol=1e-4, rtol=0)
    other = vote(TARGET.select(slice(1, 2)), NOISE[1:], PREPARED.stages[:1], [(0, 2)])
    assert float((other - both[1:]).abs().mean()) > 0.05


def test_an_example_stays_as_it_is_and_specks_disappear():
    finest, dictionary = PREPARED.stages[-1]
    example = torch.from_numpy(SOURCE[:1]).long()
    damaged = example.clone()
    damaged[0, 5::12, 5::12] ^= 1
    counts = torch.stack([(example == phase).flatten(1).sum(1) for phase in (0, 1)], dim=1)
    restored = nearest_labels(vote_again(damaged, 2, finest, dictionary, False), counts)
    assert float((restored != example).float().mean()) < 0.05
    holes = (damaged != example)[0]
    assert float((restored != example)[0][holes].float().mean()) < 0.5


def test_fixed_voxels_keep_their_phase():
    fixed = torch.full((2, 48, 48), FREE, dtype=torch.uint8)
    fixed[:, :6] = torch.from_numpy(STRUCTURES[:, :6])
    voted = vote(TARGET, NOISE, PREPARED.stages, [(0, 0), (0, 1)], fixed)
    torch.testing.assert_close(voted[:, :, :6], indicators(fixed, 2)[:, :, :6])
