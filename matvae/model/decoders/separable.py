"""Decoder that writes a structure as a sum of products of profiles, one profile an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers import perceptron
from ..spec import ModelSpec

# Products summed up; structures made of a few bars or boxes need about one for each.
RANK = 16
LEFT_OVER = 1e-3


class SeparableDecoder(nn.Module):
    """A perceptron from the latent to profiles along the axes, which are multiplied and summed up.

    In two dimensions the field is ``sum_k u_k(y) v_k(x)``, a matrix of low rank. Bars, layers and boxes along the axes
    need few products, and the outputs grow with the sides of a structure instead of its voxels: lines of 224 x 224
    take 7168 instead of 50176. Structures without straight edges along the axes are better left to the others.

    Profiles can be asked for on a coarse grid. The weights of neighbouring voxels are averaged then, not the outputs,
    so the coarse stage of a training costs what a coarse decoder does and trains the weights of the fine one.
    """

    coarsens = True

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.shape, self.channels = spec.shape, spec.channels
        self.layers = perceptron(spec.n_components, spec.width, 3, RANK * spec.channels * sum(spec.shape))

    def calibrate(self, power: Tensor) -> None:
        """Nothing to prepare: the profiles start as noise, and products of noise are as good a start as any."""

    def forward(self, z: Tensor, factors: Sequence[int] | None = None) -> Tensor:
        """``(sample, component)`` to ``(sample, channel, *space)``, or its coarse grid."""
        *hidden, last = self.layers
        for layer in hidden:
            z = layer(z)
        assert isinstance(last, nn.Linear)
        factors = factors or (1,) * len(self.shape)
        profiles = []
        for weight, bias, k in zip(self._by_axis(last.weight), self._by_axis(last.bias), factors, strict=True):
            flat = functional.linear(z, _averaged(weight, k).flatten(0, 1), _averaged(bias, k).flatten())
            profiles.append(flat.view(len(z), self.channels, RANK, -1))
        sides = [profile.shape[-1] for profile in profiles]
        return _products(profiles).view(len(z), self.channels, *sides)

    def _by_axis(self, parameters: Tensor) -> Sequence[Tensor]:
        """Weights ``(product, side, unit)`` or biases ``(product, side)`` of the profiles along each axis."""
        return parameters.unflatten(0, (RANK * self.channels, -1)).split(self.shape, dim=1)


@torch.no_grad()
def few_products(structures: Tensor) -> bool:
    """Whether two-phase images are sums of few products, so that this decoder suits them.

    By their singular values (Eckart & Young, Psychometrika 1, 211 (1936)): half as many products as the decoder has
    leave at most a thousandth of the squares of all voxels. Of small images little can be told that way, and they need
    no decoder that grows with the sides.

    Parameters
    ----------
    structures : Tensor ``(sample, y, x)``
        Labels 0 and 1.
    """
    if min(structures.shape[1:]) < 2 * RANK:
        return False
    values = torch.linalg.svdvals(structures.float()).square().sum(0)
    return bool(values[RANK // 2 :].sum() <= LEFT_OVER * values.sum())


def _averaged(weights: Tensor, k: int) -> Tensor:
    """Mean over the voxels of a block."""
    return weights if k == 1 else weights.unflatten(1, (-1, k)).mean(2)


def _products(profiles: Sequence[Tensor]) -> Tensor:
    """Sum over products ``(sample, channel, voxel)`` of profiles ``(sample, channel, product, side)``."""
    first, *others = profiles
    if not others:
        return first.sum(2)
    # All axes but the last by outer products, the last by a matrix product that sums as well.
    for other in others[:-1]:
        first = (first.unsqueeze(-1) * other.unsqueeze(-2)).flatten(3)
    field = first.transpose(2, 3) @ others[-1]
    return field.flatten(2) / math.sqrt(RANK)
