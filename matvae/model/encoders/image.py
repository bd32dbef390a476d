"""Encoder that reads the structure itself, as in the published method."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from ..layers import Convolution, halvings, perceptron
from ..spec import ModelSpec
from .base import STRUCTURES, Encoder

CHANNELS = 128


class ImageEncoder(Encoder):
    """Strided convolutions down to a few voxels, then a perceptron.

    It has to learn the invariance to shifts that is built into the encoder of statistics; choose it for comparisons
    with image-space models.
    """

    reads = STRUCTURES

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        shapes = halvings(spec.shape)
        channels = [spec.channels, *[min(CHANNELS, 16 * 2**k) for k in range(len(shapes) - 1)]]
        self.convolutions = nn.Sequential(
            *[
                Convolution(len(spec.shape), n_in, n_out, periodic=spec.periodic, stride=2)
                for n_in, n_out in pairwise(channels)
            ]
        )
        self.head = perceptron(channels[-1] * math.prod(shapes[-1]), spec.width, 1, 2 * spec.n_components)
        self.skip_first = spec.phases > 1

    def forward(self, fields: Tensor) -> tuple[Tensor, Tensor]:
        """Encode ``(sample, phase, *space)`` to mean and log-variance, each ``(sample, component)``."""
        # Fractions sum to one, so phase 0 is redundant.
        x = self.convolutions(fields[:, 1:] if self.skip_first else fields)
        mean, log_variance = self.head(x.flatten(1)).chunk(2, dim=-1)
        return mean, log_variance
