from __future__ import annotations

import pytest
import torch
from torch import nn

from matvae.model.layers import Convolution, halvings, perceptron


def test_a_perceptron_has_the_requested_hidden_layers():
    assert [type(layer) for layer in perceptron(3, 8, 2, 5)] == [nn.Linear, nn.LayerNorm, nn.SiLU] * 2 + [nn.Linear]
    assert perceptron(3, 8, 2, 5)(torch.zeros(4, 3)).shape == (4, 5)
    (only,) = perceptron(3, 8, 0, 5)
    assert (only.in_features, only.out_features) == (3, 5)


@pytest.mark.parametrize("shape", [(9,), (8, 5), (4, 1, 3)])
@pytest.mark.parametrize("stride", [1, 2])
def test_convolution_keeps_the_shape_or_halves_it_rounding_up(shape, stride):
    layer = Convolution(len(shape), 2, 32, periodic=True, stride=stride)
    assert layer(torch.zeros(3, 2, *shape)).shape == (3, 32, *[-(-n // stride) for n in shape])


def test_convolution_commutes_with_shifts_only_on_periodic_grids():
    x = torch.rand(2, 2, 6, 5, generator=torch.Generator().manual_seed(0))
    for periodic in (True, False):
        layer = Convolution(2, 2, 4, periodic=periodic)
        of_shifted, shifted = layer(x.roll((2, 1), (2, 3))), layer(x).roll((2, 1), (2, 3))
        assert torch.allclose(of_shifted, shifted, atol=1e-5) == periodic


def test_sides_are_halved_down_to_the_coarsest_size():
    assert halvings((13, 4)) == [(13, 4), (7, 2), (4, 1)]
    assert halvings((3, 4)) == [(3, 4)]
    assert halvings((20,), coarsest=8) == [(20,), (10,), (5,)]
