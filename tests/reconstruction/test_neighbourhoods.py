from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from matvae.reconstruction.labels import indicators
from matvae.reconstruction.neighbourhoods import neighbour_means, neighbourhood_energies, neighbourhood_energy

from ..structures import blobs


def by_counting(labels: np.ndarray, energies: np.ndarray) -> float:
    """Mean energy of a periodic structure, voxel by voxel."""
    total = 0.0
    for place in np.ndindex(*labels.shape):
        numbers = [0, 0]
        for step in itertools.product((-1, 0, 1), repeat=labels.ndim):
            other = tuple((p + s) % n for p, s, n in zip(place, step, labels.shape, strict=True))
            if any(step) and labels[other] == labels[place]:
                numbers[sum(map(abs, step)) > 1] += 1
        total += energies[labels[place], numbers[0], numbers[1]]
    return total / labels.size


@pytest.mark.parametrize(("shape", "phases"), [((8, 9), 2), ((7, 7), 3), ((5, 4, 6), 2)])
def test_the_energy_and_its_change_by_any_voxel_agree_with_counting(shape, phases):
    labels = blobs(1, shape, phases, width=1.0)
    energies = neighbourhood_energies(torch.from_numpy(blobs(4, (12,) * len(shape), phases, seed=1)), phases)
    fields = indicators(torch.from_numpy(labels), phases).requires_grad_()
    energy = neighbourhood_energy(fields, energies, periodic=True)
    (gradient,) = torch.autograd.grad(energy.sum(), fields)
    before = by_counting(labels[0], energies.numpy())
    assert float(energy) == pytest.approx(before, rel=1e-5)
    rng = np.random.default_rng(0)
    for _ in range(20):
        place = tuple(int(rng.integers(n)) for n in shape)
        old = labels[0][place]
        new = (old + 1) % phases
        changed = labels[0].copy()
        changed[place] = new
        predicted = float(gradient[(0, new, *place)] - gradient[(0, old, *place)])
        assert predicted == pytest.approx(by_counting(changed, energies.numpy()) - before, abs=1e-5)


def test_energies_are_those_of_the_frequencies_in_the_examples():
    stripes = np.tile(np.repeat([0, 1], 3), (1, 12, 3)).astype(np.uint8)
    energies = neighbourhood_energies(torch.from_numpy(stripes), 2)
    np.testing.assert_allclose(torch.exp(-energies).sum((1, 2)), 1, rtol=1e-5)
    # Of the columns 1 to 16, eight are of each phase; a third of those of phase 0 lies within a stripe.
    inner, n_pairs = 10 * 3, 5 * 5
    assert float(energies[1, 4, 4]) == pytest.approx(-math.log((inner + 1) / (10 * 8 + n_pairs)))


def test_a_bridge_one_voxel_wide_costs_more_than_the_examples_have():
    examples = torch.from_numpy(blobs(4, (64, 64), width=3.0))
    energies = neighbourhood_energies(examples, 2)
    bridged = blobs(1, (64, 64), seed=5, width=3.0)
    before = neighbourhood_energy(indicators(torch.from_numpy(bridged), 2), energies, True)
    bridged[0, 30] = 1
    assert neighbourhood_energy(indicators(torch.from_numpy(bridged), 2), energies, True) > 1.1 * before


def test_means_are_those_of_the_neighbourhood():
    field = torch.rand(1, 1, 5, 6)
    periodic, window = neighbour_means(field, True), neighbour_means(field, False)
    assert float(window[0, 0, 2, 3]) == pytest.approx(float(field[0, 0, 1:4, 2:5].mean()))
    assert float(periodic[0, 0, 0, 0]) == pytest.approx(float(field.roll((1, 1), (2, 3))[0, 0, :3, :3].mean()))
    # A constant field stays constant up to the border.
    torch.testing.assert_close(neighbour_means(torch.ones(1, 2, 4, 4), False), torch.ones(1, 2, 4, 4))
