"""Decoder that gives every voxel its own output unit; the best for small structures."""

from __future__ import annotations

import math

from torch import Tensor, nn

from ..layers import perceptron
from ..spec import ModelSpec


class DenseDecoder(nn.Module):
    """A perceptron from the latent to all voxels."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.out_shape = (spec.channels, *spec.shape)
        self.layers = perceptron(spec.n_components, spec.width, 3, math.prod(self.out_shape))

    def forward(self, z: Tensor) -> Tensor:
        """``(sample, component)`` to ``(sample, channel, *space)``."""
        return self.layers(z).view(-1, *self.out_shape)
