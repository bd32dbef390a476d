from __future__ import annotations

import pytest
import torch

from matvae.errors import InputError


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(
    ("shape", "phases"), [((13,), 2), ((9, 16), 3), ((3, 3), 2), ((33, 2), 2), ((5, 8, 6), 2), ((8, 8), 1)]
)
def test_latents_have_the_expected_shape_and_weights_a_finite_gradient(make_module, labels, shape, phases, periodic):
    module = make_module(shape, phases=phases, encoder="image", periodic=periodic)
    structures = labels(2, shape, max(2, phases))
    mean, log_variance = module.encode(None, module.fields(structures))
    assert mean.shape == log_variance.shape == (2, 3)
    mean.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in module.encoder.parameters())


def test_the_encoder_reads_structures_and_distinguishes_them(make_module, labels):
    module = make_module((12, 12), encoder="image")
    assert not module.reads_statistics
    first, second = module.encode(None, module.fields(labels(2, (12, 12))))[0]
    assert (first - second).abs().max() > 1e-3


def test_phase_zero_has_no_effect(make_module, labels):
    module = make_module((8, 8), phases=3, encoder="image")
    fields = module.fields(labels(2, (8, 8), 3))
    changed = fields.clone()
    changed[:, 0] = 7.0
    assert torch.equal(module.encode(None, fields)[0], module.encode(None, changed)[0])


def test_statistics_alone_are_refused(make_module):
    with pytest.raises(InputError, match="reads structures, but only statistics"):
        make_module(encoder="image").calibrate([torch.zeros(2, 8, 8, 1)], from_statistics=True)
