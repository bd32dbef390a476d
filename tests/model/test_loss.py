from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as torch_kl

from matvae.model.loss import SMALLEST_SHARE, kl_divergence, overlap_loss, statistics_loss, voxel_loss


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_kl_divergence_equals_that_of_torch_distributions():
    mean, log_variance = 4 * random(5, 3) - 2, 6 * random(5, 3, seed=1) - 4
    expected = torch_kl(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)
    assert (kl_divergence(torch.zeros(2, 3), torch.zeros(2, 3)) == 0).all()


def test_the_absolute_loss_follows_equation_1_of_the_paper():
    f, g = random(3, 4, 5, 2), random(3, 4, 5, 2, seed=1)
    expected = [
        math.sqrt(sum((a - b) ** 2 for a, b in zip(x, y, strict=True)))
        for x, y in zip(f.flatten(1).tolist(), g.flatten(1).tolist(), strict=True)
    ]
    assert statistics_loss(f, g, "absolute").tolist() == pytest.approx(expected)


def test_the_relative_loss_is_relative_to_the_norm_of_the_target():
    f, g = random(3, 4, 5, 2), random(3, 4, 5, 2, seed=1)
    norm = f.flatten(1).norm(dim=1)
    torch.testing.assert_close(statistics_loss(f, g, "relative"), statistics_loss(f, g, "absolute") / norm)
    torch.testing.assert_close(statistics_loss(7 * f, 7 * g, "relative"), statistics_loss(f, g, "relative"))


def test_the_norm_of_small_statistics_is_replaced_by_a_floor():
    f = torch.cat([random(3, 10, 1), torch.zeros(1, 10, 1)])
    g = f + 0.1
    floor = SMALLEST_SHARE * f.flatten(1).norm(dim=1).mean()
    assert statistics_loss(f, g, "relative")[3] == pytest.approx(float(0.1 * math.sqrt(10) / floor))
    assert torch.isfinite(statistics_loss(torch.zeros(2, 10, 1), torch.zeros(2, 10, 1), "relative")).all()


@pytest.mark.parametrize("kind", ["relative", "absolute"])
@pytest.mark.parametrize("f", [torch.zeros(2, 6, 1), torch.full((2, 6, 1), 0.5)], ids=["empty", "uniform"])
def test_gradients_are_finite_where_the_distance_is_zero(kind, f):
    g = f.clone().requires_grad_()
    statistics_loss(f, g, kind).sum().backward()
    assert torch.isfinite(g.grad).all()


@pytest.mark.parametrize("phases", [2, 3])
def test_the_overlap_loss_equals_values_computed_by_hand(phases):
    output = random(2, phases, 3, 2).softmax(1)
    target = random(2, phases, 3, 2, seed=1).softmax(1)
    for s in range(2):
        entropy, dice = 0.0, 0.0
        for h in range(1, phases):
            t, p = target[s, h].flatten().tolist(), output[s, h].flatten().tolist()
            entropy -= sum(a * math.log(b) + (1 - a) * math.log(1 - b) for a, b in zip(t, p, strict=True)) / 6
            shared = sum(a * b for a, b in zip(t, p, strict=True))
            dice += (1 - (2 * shared + 1) / (sum(t) + sum(p) + 1)) / (phases - 1)
        assert overlap_loss(target, output)[s].item() == pytest.approx(entropy + dice)


def test_a_perfect_overlap_has_a_loss_of_zero_and_a_wrong_one_finite_gradients():
    target = torch.zeros(2, 2, 5)
    target[:, 0] = 1.0
    assert overlap_loss(target, target.clone()).abs().max() < 1e-6
    logits = torch.tensor([[[-200.0] * 5, [200.0] * 5]], requires_grad=True)
    overlap_loss(target[:1], logits.softmax(1)).sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_target_values_are_clipped_to_zero_and_one():
    output = random(2, 2, 6).softmax(1)
    values = torch.tensor([1.5, -0.1, 1.0, 0.0, 1.0000002, 0.3], dtype=torch.float64)
    target = torch.stack([1 - values, values]).expand(2, 2, 6)
    assert torch.equal(overlap_loss(target, output), overlap_loss(target.clamp(0, 1), output))


@pytest.mark.parametrize("phases", [2, 3])
def test_the_voxel_loss_is_the_mean_cross_entropy(phases):
    output = random(2, phases, 3, 2).softmax(1)
    labels = torch.tensor([[[0, 1], [1, 0], [phases - 1, 0]]] * 2)
    target = torch.nn.functional.one_hot(labels, phases).movedim(-1, 1).double()
    expected = torch.nn.functional.nll_loss(output.log(), labels, reduction="none").flatten(1).mean(1)
    torch.testing.assert_close(voxel_loss(target, output, torch.ones(())), expected)
    assert (voxel_loss(target, target, torch.ones(())) == 0).all()


def test_the_voxel_loss_of_a_field_does_not_depend_on_its_unit():
    target, output = random(3, 1, 4, 5), random(3, 1, 4, 5, seed=1)
    spread = target.std()
    expected = ((target - output) / spread).square().mean((1, 2, 3))
    torch.testing.assert_close(voxel_loss(target, output, spread), expected)
    torch.testing.assert_close(voxel_loss(1e9 * target, 1e9 * output, 1e9 * spread), expected)


def test_the_voxel_loss_of_a_fraction_that_underflows_is_finite():
    target = torch.tensor([[[0.0], [1.0]]])
    assert 50 < voxel_loss(target, 1 - target, torch.ones(())).item() < 100
    output = torch.tensor([[[torch.nan], [torch.nan]]])
    assert voxel_loss(target, output, torch.ones(())).isnan().all()


def test_nan_propagates_to_the_loss_of_its_sample():
    target = random(2, 2, 6).softmax(1)
    output = target.clone()
    output[1, 1, 3] = torch.nan
    assert overlap_loss(target, output).isnan().tolist() == [False, True]


@pytest.mark.parametrize("kind", ["relative", "absolute"])
@pytest.mark.parametrize(("shape", "phases"), [((4, 3), 2), ((5,), 3)])
@pytest.mark.parametrize("decoder", ["dense", "convolutional"])
def test_the_gradient_of_the_whole_loss_equals_finite_differences(make_module, labels, shape, phases, kind, decoder):
    module = make_module(shape, phases=phases, decoder=decoder, n_components=2, width=4).double()
    fields = module.fields(labels(3, shape, phases))
    statistics = module.statistics(fields)
    module.calibrate([labels(3, shape, phases)])
    noise = random(3, 2)
    names = [name for name, _ in module.named_parameters()]
    target = fields.roll(1, 2)

    def loss(*values):
        with torch.nn.utils.stateless._reparametrize_module(module, dict(zip(names, values, strict=True))):
            mean, log_variance = module.encode(statistics, fields)
            output = module.decode(mean + noise * (0.5 * log_variance).exp())
        distance = statistics_loss(statistics, module.statistics(output), kind)
        return (distance + 0.1 * kl_divergence(mean, log_variance) + overlap_loss(target, output)).mean()

    # A single random direction in the space of all parameters tests every one of them.
    start = [value.detach().clone().requires_grad_() for _, value in module.named_parameters()]
    assert torch.autograd.gradcheck(loss, start, eps=1e-6, atol=1e-5, fast_mode=True)
