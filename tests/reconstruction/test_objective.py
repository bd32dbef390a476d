from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from matvae.reconstruction.demands import read_demands
from matvae.reconstruction.labels import indicators
from matvae.reconstruction.objective import Demands, Wanted
from matvae.stats import get_statistic, lineal_path, relative_error, surface_area, two_point_stats

from ..structures import blobs
from .structures import target_of


def torch_fields(labels: np.ndarray, phases: int = 2) -> torch.Tensor:
    return indicators(torch.from_numpy(labels), phases)


def test_without_demands_the_error_is_that_of_the_2_point_statistics():
    labels, other = blobs(4, (12, 13))[:2], blobs(4, (12, 13))[2:]
    target = target_of(labels)
    fields = torch_fields(other)
    assert Demands().names == ("two_point",)
    assert torch.equal(Demands().errors(target, fields), target.errors(fields))
    torch.testing.assert_close(Demands().loss(target, fields), target.errors(fields).square(), rtol=1e-4, atol=0)
    assert Demands().satisfied(target, torch.from_numpy(other))[1] is None


@pytest.mark.parametrize(
    "name", ["lineal_path", "surface_area", "variogram", "chord_length", "pair_correlation", "cluster"]
)
@pytest.mark.parametrize("phases", [2, 3])
def test_errors_are_those_of_the_statistic_of_labels(name, phases):
    labels, other = blobs(2, (10, 11), phases, 1), blobs(2, (10, 11), phases, 2)
    statistic = get_statistic(name)
    values = statistic(labels, phases=phases)
    target = target_of(labels, phases)
    demands = read_demands(target, also=[Wanted(name, values, weight=3)])
    fields = torch_fields(other, phases)
    each = demands.each_error(target, fields)
    expected = relative_error(values, statistic(other, phases=phases))
    np.testing.assert_allclose(each[:, 1], expected, rtol=1e-4)
    np.testing.assert_allclose(each[:, 0], target.errors(fields), rtol=1e-6)
    # The root of the weighted mean square.
    total = np.sqrt((each[:, 0].numpy() ** 2 + 3 * expected**2) / 4)
    np.testing.assert_allclose(demands.errors(target, fields), total, rtol=1e-4)
    np.testing.assert_allclose(demands.loss(target, fields), total**2, rtol=1e-3)
    np.testing.assert_allclose(demands.cost(demands.errors(target, fields), target, fields), total**2, rtol=1e-3)


@pytest.mark.parametrize("name", ["lineal_path", "surface_area", "variogram"])
def test_the_gradient_agrees_with_finite_differences(name):
    labels, other = blobs(1, (5, 6), seed=1), blobs(1, (5, 6), seed=2)
    values = get_statistic(name)(labels, phases=2)
    target = target_of(labels)
    demands = read_demands(target, also=[Wanted(name, values)], smoothing=0.1)
    fields = torch_fields(other).requires_grad_()
    (gradient,) = torch.autograd.grad(demands.loss(target, fields).sum(), fields)
    step = 1e-2
    for phase, y, x in itertools.product(range(2), (0, 3), (1, 4)):
        losses = []
        for sign in (1, -1):
            changed = torch_fields(other)
            changed[0, phase, y, x] += sign * step
            losses.append(demands.loss(target, changed.requires_grad_()))
        difference = float((losses[0] - losses[1]).detach()) / (2 * step)
        assert float(gradient[0, phase, y, x]) == pytest.approx(difference, rel=0.05, abs=2e-4)


def test_a_statistic_without_a_gradient_contributes_to_the_loss_only():
    labels, other = blobs(1, (8, 8), seed=1), blobs(1, (8, 8), seed=2)
    target = target_of(labels)
    cluster = get_statistic("cluster")(labels, phases=2)
    fields = torch_fields(other).requires_grad_()
    alone = torch.autograd.grad(Demands().loss(target, fields).sum(), fields)[0]
    demands = read_demands(target, also=[Wanted("cluster", cluster)])
    assert demands.loss(target, fields) > Demands().loss(target, fields) / 2
    both = torch.autograd.grad(demands.loss(target, fields).sum(), fields)[0]
    # It takes half of the weight and adds no gradient.
    torch.testing.assert_close(both, alone / 2)


def test_interfaces_cost_their_area_relative_to_that_of_uncorrelated_voxels():
    rng = np.random.default_rng(0)
    noise = (rng.random((1, 128, 128)) < 0.3).astype(np.uint8)
    target = target_of(noise)
    demands = Demands(smoothing=0.5)
    error = torch.zeros(1)
    assert float(demands.cost(error, target, torch_fields(noise))) == pytest.approx(0.5, rel=0.02)
    sorted_ = np.sort(noise.reshape(1, -1)).reshape(noise.shape)
    flat = float(demands.cost(error, target, torch_fields(sorted_)))
    area = surface_area(sorted_, isotropic=False)[0, 1]
    assert flat == pytest.approx(0.5 * area / (4 * 0.3 * 0.7), rel=0.02)


def test_masked_voxels_do_not_affect_the_error():
    labels = blobs(2, (12, 12))
    mask = np.ones((12, 12))
    mask[3:6, 2:9] = 0
    f = two_point_stats(labels, mask=mask, cutoff=3)
    target = target_of(labels, cutoff=3)
    target = type(target)(target.grid, target.pairs, target.cutoff, torch.from_numpy(f), target.counts, target.weights)
    demands = read_demands(target, mask=mask)
    assert demands.names == ("two_point",)
    hidden = labels.copy()
    hidden[:, 3:6, 2:9] = 1 - hidden[:, 3:6, 2:9]
    assert demands.errors(target, torch_fields(hidden)).max() < 1e-5
    assert demands.errors(target, torch_fields(1 - labels)).min() > 0.1


def test_selected_samples_keep_their_own_demands():
    labels = blobs(3, (10, 10))
    target = target_of(labels)
    fixed = labels.copy()
    masks = np.ones((3, 10, 10))
    for sample in range(3):
        masks[sample, 3 * sample : 3 * sample + 3, 2:6] = 0
    paths = lineal_path(labels, phases=2, mask=masks, cutoff=4)
    also = [Wanted("lineal_path", paths, options={"mask": masks, "cutoff": 4})]
    demands = read_demands(target, also=also, fixed=fixed)
    some = torch.tensor([2, 0])
    picked = demands.select(some)
    assert np.array_equal(picked.fixed.numpy(), fixed[[2, 0]])
    assert picked.errors(target.select(some), torch_fields(labels[[2, 0]])).max() < 1e-5
    assert picked.errors(target.select(some), torch_fields(labels[[0, 2]])).min() > 0.01


def test_a_statistic_that_is_requested_twice_has_two_names():
    labels = blobs(1, (10, 10))
    also = [Wanted("lineal_path", lineal_path(labels, axis=axis), options={"axis": axis}) for axis in (0, 1)]
    assert read_demands(target_of(labels), also=also).names == ("two_point", "lineal_path", "lineal_path_2")
