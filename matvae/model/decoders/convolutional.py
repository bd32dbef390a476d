"""Decoder whose size hardly grows with the number of voxels, for large images and volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from ..layers import CONVOLUTION, Convolution, halvings, perceptron
from ..spec import ModelSpec
from .base import Decoder

CHANNELS = 128


class ConvolutionalDecoder(Decoder):
    """A perceptron to a coarse grid, followed by upsampling and convolutions up to the full shape."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        ndim = len(spec.shape)
        self.shapes = halvings(spec.shape, coarsest=8)[::-1]
        channels = [max(16, CHANNELS // 2**k) for k in range(len(self.shapes))]
        self.coarse = (channels[0], *self.shapes[0])
        self.stem = perceptron(spec.n_components, spec.width, 2, math.prod(self.coarse))
        self.convolutions = nn.ModuleList(
            Convolution(ndim, n_in, n_out, periodic=spec.periodic)
            for n_in, n_out in zip([channels[0], *channels[:-1]], channels, strict=True)
        )
        self.head = CONVOLUTION[ndim](channels[-1], spec.channels, 1)

    def forward(self, z: Tensor, factors: Sequence[int] | None = None) -> Tensor:
        """Decode ``(sample, component)`` to ``(sample, channel, *space)``."""
        x = self.stem(z).view(-1, *self.coarse)
        for shape, convolution in zip(self.shapes, self.convolutions, strict=True):
            if tuple(x.shape[2:]) != shape:
                x = functional.interpolate(x, size=shape, mode="nearest")
            x = convolution(x)
        return self.head(x)
