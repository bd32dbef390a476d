from __future__ import annotations

import torch

from matvae.model.mixing import mix_neighbours


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_nothing_changes_without_mixing_or_without_neighbours():
    f = torch.rand(5, 4, 1)
    assert torch.equal(mix_neighbours(f, 0.0, generator()), f)
    assert torch.equal(mix_neighbours(f[:1], 1.0, generator()), f[:1])


def test_mixtures_lie_between_a_sample_and_the_midpoint_to_another_sample():
    f = torch.rand(12, 5, 5, 2, dtype=torch.float64)
    mixed = mix_neighbours(f, 1.0, generator()).flatten(1)
    flat = f.flatten(1)
    for sample, mixture in zip(flat, mixed, strict=True):
        directions = flat - sample
        steps = (directions * (mixture - sample)).sum(1) / directions.square().sum(1).clamp_min(1e-12)
        distances = (sample + steps.unsqueeze(1) * directions - mixture).norm(dim=1)
        partner = distances.argmin()
        assert distances[partner] < 1e-9
        assert 0 <= steps[partner] <= 0.5


def test_partners_are_near_neighbours():
    # Two distant groups of twenty samples: a mixture never leaves its group.
    group = torch.arange(40) % 2
    f = (100.0 * group + torch.rand(40, generator=generator(1))).view(40, 1, 1)
    mixed = mix_neighbours(f, 1.0, generator()).flatten()
    assert torch.equal((mixed > 50).long(), group)
    assert not torch.equal(mixed, f.flatten())


def test_the_requested_share_of_samples_is_mixed_and_the_seed_determines_the_result():
    f = torch.rand(2000, 6, 1)
    changed = (mix_neighbours(f, 0.25, generator()) != f).flatten(1).any(1).double().mean()
    assert abs(changed - 0.25) < 0.05
    assert torch.equal(mix_neighbours(f, 0.5, generator(3)), mix_neighbours(f, 0.5, generator(3)))
