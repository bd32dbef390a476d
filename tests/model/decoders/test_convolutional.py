from __future__ import annotations

import pytest
import torch

from matvae.model.decoders.convolutional import ConvolutionalDecoder


def size(decoder):
    return sum(p.numel() for p in decoder.parameters())


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(
    ("shape", "phases"),
    [((13,), 2), ((5, 8), 4), ((33, 18), 2), ((40, 3), 2), ((9, 10, 11), 3), ((17, 17), 1)],
)
def test_outputs_have_odd_and_even_shapes_and_all_weights_a_finite_gradient(make_spec, shape, phases, periodic):
    spec = make_spec(shape, phases=phases, periodic=periodic)
    decoder = ConvolutionalDecoder(spec)
    out = decoder(torch.randn(2, 3, generator=torch.Generator().manual_seed(0)))
    assert out.shape == (2, spec.channels, *shape)
    out.square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in decoder.parameters())


def test_the_number_of_parameters_hardly_grows_with_the_structure(make_spec):
    small, large = (ConvolutionalDecoder(make_spec((n, n))) for n in (32, 128))
    assert size(large) < 1.5 * size(small)
