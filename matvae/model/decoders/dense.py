"""Decoder with one output unit per voxel and channel, for small structures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from ..layers import perceptron
from ..spec import ModelSpec
from .base import Decoder


class DenseDecoder(Decoder):
    """A perceptron from the latent to all voxels."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.out_shape = (spec.channels, *spec.shape)
        self.phases = spec.phases
        self.layers = perceptron(spec.n_components, spec.width, 3, math.prod(self.out_shape))

    @torch.no_grad()
    def calibrate(self, batches: Iterable[Tensor]) -> None:
        """Give every hidden unit a random field with the mean power spectrum of the training structures.

        Level sets of such fields have approximately the right correlations from the start (Cahn, Journal of Chemical
        Physics 42, 93 (1965)), and what training adds remains a structure instead of noise.

        Parameters
        ----------
        batches : iterable of Tensor ``(sample, phase, *space)``
            State fields.
        """
        # Fractions sum to one, so phase 0 is redundant.
        power = mean_power(fields if self.phases == 1 else fields[:, 1:] for fields in batches)
        if not bool((power > 0).any()):
            return
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        axes = tuple(range(2, 1 + len(self.out_shape)))
        for weights in (last.weight.T, last.bias.unsqueeze(0)):
            # The initial weights are white noise; colouring them preserves their standard deviation.
            spectra = torch.fft.rfftn(weights.reshape(-1, *self.out_shape), dim=axes) * power.sqrt().to(weights)
            fields = torch.fft.irfftn(spectra, s=self.out_shape[1:], dim=axes)
            weights.copy_((fields * (weights.std() / fields.std())).flatten(1))

    def forward(self, z: Tensor, factors: Sequence[int] | None = None) -> Tensor:
        """Decode ``(sample, component)`` to ``(sample, channel, *space)``."""
        return self.layers(z).view(-1, *self.out_shape)


def mean_power(batches: Iterable[Tensor]) -> Tensor:
    """Mean power spectrum of the fluctuations of fields, ``(channel, *frequency)`` in the order of ``rfftn``."""
    total, n_samples = torch.zeros(()), 0
    for fields in batches:
        axes = tuple(range(2, fields.ndim))
        spectra = torch.fft.rfftn(fields - fields.mean(axes, keepdim=True), dim=axes)
        total = total + spectra.abs().square().sum(0)
        n_samples += len(fields)
    return total / n_samples
