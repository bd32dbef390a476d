from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from matvae import two_point_stats
from matvae.model.vae import LOG_VARIANCE_RANGE, LevelSet
from matvae.stats import default_correlations

CASES = [
    ((11,), 2, True, None, None),
    ((8, 7), 2, True, None, None),
    ((8, 7), 2, False, None, None),
    ((7, 8), 3, True, (2, 3), None),
    ((6, 5), 3, False, (4, 1), ((0, 1), (2, 2))),
    ((4, 5, 6), 4, True, None, None),
    ((3, 4, 5), 4, False, None, ((3, 1),)),
    ((9,), 4, True, (2,), ((2, 2), (0, 2), (2, 0))),
]


@pytest.mark.parametrize(("shape", "phases", "periodic", "cutoff", "pairs"), CASES)
def test_statistics_of_labels_are_those_of_two_point_stats(make_module, labels, shape, phases, periodic, cutoff, pairs):
    pairs = pairs or default_correlations(phases)
    module = make_module(shape, phases=phases, periodic=periodic, cutoff=cutoff, pairs=pairs)
    X = labels(3, shape, phases)
    fields = module.fields(X)
    assert fields.shape == (3, phases, *shape)
    assert fields.dtype == torch.float32
    options = {"phases": phases, "periodic": periodic, "cutoff": cutoff, "correlations": pairs}
    expected = two_point_stats(X.numpy(), spatial_dims=len(shape), **options)
    np.testing.assert_allclose(module.statistics(fields).numpy(), expected, atol=2e-6)
    assert module.statistics(fields).shape == (3, *module.spec.lag_shape, len(pairs))


def test_statistics_of_a_field_are_those_of_two_point_stats(make_module):
    X = torch.randn(3, 6, 7, generator=torch.Generator().manual_seed(0))
    module = make_module((6, 7), phases=1)
    assert torch.equal(module.fields(X)[:, 0], X)
    np.testing.assert_allclose(module.statistics(module.fields(X)), two_point_stats(X.numpy(), phases=1), atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.int32, torch.float32])
def test_the_type_of_labels_does_not_matter(make_module, labels, dtype):
    module = make_module(phases=3)
    X = labels(2, (8, 8), 3)
    assert torch.equal(module.fields(X.to(dtype)), module.fields(X))


def test_discretised_structures_are_used_as_fields(make_module):
    states = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    module = make_module(phases=3)
    assert torch.equal(module.fields(states), states.float())
    assert torch.equal(module.double().fields(states), states)


SHAPES = [((13,), 2), ((8, 8), 2), ((9, 6), 4), ((5, 4, 7), 3), ((6, 6), 1), ((17, 18), 3)]


@pytest.mark.parametrize("decoder", ["dense", "convolutional"])
@pytest.mark.parametrize("encoder", ["statistics", "image"])
@pytest.mark.parametrize(("shape", "phases"), SHAPES)
def test_latents_and_reconstructions_have_valid_shapes_and_values(make_module, labels, shape, phases, encoder, decoder):
    module = make_module(shape, phases=phases, encoder=encoder, decoder=decoder)
    X = labels(4, shape, max(2, phases)).to(torch.float32 if phases == 1 else torch.uint8)
    module.calibrate([X[:2], X[2:]])
    fields = module.fields(X)
    mean, log_variance = module.encode(module.statistics(fields), fields)
    assert mean.shape == log_variance.shape == (4, 3)
    output = module.decode(mean)
    assert output.shape == (4, phases, *shape)
    assert output.dtype == torch.float32
    if phases > 1:
        assert (output >= 0).all()
        torch.testing.assert_close(output.sum(1), torch.ones(4, *shape))
    assert torch.isfinite(output).all()


def test_the_log_variance_is_bounded(make_module):
    module = make_module()
    with torch.no_grad():
        module.encoder.correction[-1].bias.copy_(torch.tensor([0.0, 0, 0, 1e9, -1e9, 0]))
    _, log_variance = module.encode(torch.zeros(1, 8, 8, 1), None)
    assert (log_variance.min(), log_variance.max()) == LOG_VARIANCE_RANGE


def test_a_double_precision_copy_computes_in_double_precision(make_module, labels):
    module = make_module((9, 9), phases=3)
    module.calibrate([labels(4, (9, 9), 3)])
    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    single, double = module.decode(z), module.double().decode(z.double())
    assert double.dtype == torch.float64
    assert (double.float() != double).any()
    # A step that single precision cannot resolve changes the output.
    assert (module.decode(z.double() + 1e-10) - double).abs().max() > 1e-14
    torch.testing.assert_close(single, double.float(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.5, 0.8])
def test_the_level_set_gives_the_requested_volume_fraction_on_a_normal_field(fraction):
    level_set = LevelSet(3, 1)
    with torch.no_grad():
        level_set.levels[-1].weight.zero_()
        level_set.levels[-1].bias.zero_()
        level_set.start(torch.tensor([fraction]))
    raw = torch.randn(2, 1, 200, 200, generator=torch.Generator().manual_seed(0))
    # Neither the scale nor the offset of the raw field matters.
    logits = level_set(5.0 * raw + 3.0, torch.zeros(2, 3))
    assert (logits > 0).float().mean().item() == pytest.approx(fraction, abs=0.01)
    assert logits.sigmoid().mean().item() == pytest.approx(fraction, abs=0.05)
    for sample, channel in itertools.product(range(2), range(1)):
        assert logits[sample, channel].std().item() == pytest.approx(3.0, rel=0.01)


def test_calibration_starts_at_the_mean_volume_fractions(make_module):
    X = torch.zeros(8, 20, 20, dtype=torch.uint8)
    X[:, :2], X[:, 2:6] = 1, 2
    module = make_module((20, 20), phases=3)
    module.calibrate([X])
    bias = module.level_set.levels[-1].bias[2:]
    torch.testing.assert_close(torch.special.ndtr(bias), torch.tensor([0.1, 0.2]))


def test_calibration_learns_the_mean_and_standard_deviation_of_a_field(make_module):
    X = 5.0 + 2.0 * torch.randn(8, 20, 20, generator=torch.Generator().manual_seed(0))
    module = make_module((20, 20), phases=1)
    module.calibrate([X[:4], X[4:]])
    assert module.field_mean.item() == pytest.approx(X.mean().item(), rel=1e-6)
    assert module.field_scale.item() == pytest.approx(X.std(correction=0).item(), rel=1e-5)
    output = module.decode(torch.zeros(1, 3))
    assert output.mean().item() == pytest.approx(5.0, abs=2.0)


@pytest.mark.parametrize(("phases", "value"), [(2, 0), (2, 1), (3, 2), (1, 4.0)])
@pytest.mark.parametrize("encoder", ["statistics", "image"])
def test_latents_and_reconstructions_of_constant_structures_are_finite(make_module, phases, value, encoder):
    module = make_module(phases=phases, encoder=encoder)
    X = torch.full((4, 8, 8), value, dtype=torch.float32 if phases == 1 else torch.uint8)
    module.calibrate([X])
    fields = module.fields(X)
    mean, log_variance = module.encode(module.statistics(fields), fields)
    output = module.decode(mean)
    assert torch.isfinite(torch.cat([mean, log_variance])).all()
    assert torch.isfinite(output).all()
    module.statistics(output).sum().backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in module.parameters())


def test_calibration_from_statistics_equals_that_from_structures(make_module, labels):
    X = labels(12, (8, 8))
    direct, indirect = make_module(), make_module()
    direct.calibrate([X])
    indirect.calibrate([direct.statistics(direct.fields(X))], from_statistics=True)
    assert torch.equal(direct.encoder.linear.weight, indirect.encoder.linear.weight)
    assert torch.equal(direct.encoder.centre, indirect.encoder.centre)
