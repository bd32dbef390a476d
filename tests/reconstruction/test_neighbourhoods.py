from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from matvae.reconstruction.labels import indicators
from matvae.reconstruction.neighbourhoods import (
    ENTROPY,
    neighbour_means,
    neighbourhood_energy,
    neighbourhood_frequencies,
)

from ..structures import blobs


def counted(labels: np.ndarray, places: list[tuple[int, ...]], phases: int) -> np.ndarray:
    """Numbers of voxels ``(phase, m, n)`` at some places of a periodic structure, voxel by voxel."""
    ndim = labels.ndim
    counts = np.zeros((phases, 2 * ndim + 1, 3**ndim - 2 * ndim))
    for place in places:
        numbers = [0, 0]
        for step in itertools.product((-1, 0, 1), repeat=ndim):
            other = tuple((p + s) % n for p, s, n in zip(place, step, labels.shape, strict=True))
            if any(step) and labels[other] == labels[place]:
                numbers[sum(map(abs, step)) > 1] += 1
        counts[labels[place], numbers[0], numbers[1]] += 1
    return counts


def smoothed(counts: np.ndarray) -> np.ndarray:
    return (counts + 1) / (counts + 1).sum((1, 2), keepdims=True)


@pytest.mark.parametrize(("shape", "phases"), [((20, 21), 2), ((20, 18), 3), ((7, 8, 9), 2)])
def test_the_energy_and_its_change_by_any_voxel_agree_with_counting(shape, phases):
    labels = blobs(1, shape, phases, width=1.0)[0]
    frequencies = neighbourhood_frequencies(torch.from_numpy(blobs(4, (12,) * len(shape), phases, seed=1)), phases)
    fields = indicators(torch.from_numpy(labels[None]), phases).requires_grad_()
    energy = neighbourhood_energy(fields, frequencies, periodic=True)
    (gradient,) = torch.autograd.grad(energy.sum(), fields)
    everywhere = list(np.ndindex(*shape))
    own = counted(labels, everywhere, phases)
    costs = ENTROPY * np.log(smoothed(own)) - np.log(frequencies.numpy())
    assert energy.item() == pytest.approx((own * costs).sum() / labels.size, rel=1e-4)
    rng = np.random.default_rng(0)
    for _ in range(10):
        place = tuple(int(rng.integers(n)) for n in shape)
        old = labels[place]
        new = (old + 1) % phases
        changed = labels.copy()
        changed[place] = new
        near = [
            tuple((p + s) % n for p, s, n in zip(place, step, shape, strict=True))
            for step in itertools.product((-1, 0, 1), repeat=len(shape))
        ]
        difference = counted(changed, near, phases) - counted(labels, near, phases)
        predicted = float(gradient[(0, new, *place)] - gradient[(0, old, *place)])
        assert predicted * labels.size == pytest.approx((difference * costs).sum(), abs=1e-3)


def test_frequencies_are_those_inside_the_examples():
    labels = blobs(2, (14, 13), 3)
    inside = list(itertools.product(range(1, 13), range(1, 12)))
    expected = smoothed(sum(counted(example, inside, 3) for example in labels))
    np.testing.assert_allclose(neighbourhood_frequencies(torch.from_numpy(labels), 3), expected, rtol=1e-5)


def test_a_bridge_one_voxel_wide_costs_more_than_its_voxels_elsewhere():
    frequencies = neighbourhood_frequencies(torch.from_numpy(blobs(4, (64, 64), width=3.0)), 2)
    plain = np.zeros((1, 64, 64), np.uint8)
    plain[:, 10:30] = 1
    bridged, thicker = plain.copy(), plain.copy()
    bridged[0, 40], thicker[0, 30] = 1, 1
    energies = [
        neighbourhood_energy(indicators(torch.from_numpy(x), 2), frequencies, True).item() for x in (thicker, bridged)
    ]
    assert energies[1] > 1.3 * energies[0]


def test_means_are_those_of_the_neighbourhood():
    field = torch.rand(1, 1, 5, 6)
    periodic, window = neighbour_means(field, True), neighbour_means(field, False)
    assert float(window[0, 0, 2, 3]) == pytest.approx(float(field[0, 0, 1:4, 2:5].mean()))
    assert float(periodic[0, 0, 0, 0]) == pytest.approx(float(field.roll((1, 1), (2, 3))[0, 0, :3, :3].mean()))
    # A constant field stays constant up to the border.
    torch.testing.assert_close(neighbour_means(torch.ones(1, 2, 4, 4), False), torch.ones(1, 2, 4, 4))
