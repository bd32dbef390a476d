"""Decoder that composes a structure of bars along the axes: products of profiles, one profile per axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers import perceptron, sum_of_products
from ..spec import ModelSpec
from .base import Decoder

# Bars along each axis and phase; two-phase images of at most a few bars need fewer.
BARS = 8
# Points of a profile, at most one per voxel: a bar is uniform along its axis, whereas its position across it has to be
# precise.
ALONG_POINTS, ACROSS_POINTS = 16, 64
# Scale of logits: a perceptron's outputs are of order one, but profiles should saturate inside and outside a bar.
SHARPNESS = 3.0
# Initial logits of profiles and strengths: faint bars that cover the whole structure.
START, STRONG = -2.7, 2.0
# Share of the squared singular values that the products may leave unexplained.
RESIDUAL_SHARE = 1e-3


class SeparableDecoder(Decoder):
    """A perceptron from the latent to profiles along the axes, whose products are bars that are summed.

    In two dimensions the field is ``sum_k a_k u_k(y) v_k(x)``, with strengths a_k from 0 to 1. Each profile is the
    sigmoid of logits that are interpolated between points: a one-dimensional level set, 0 or 1 except at its edges,
    which can lie anywhere between the points. Half of the bars of an image run along y, half along x; there are few
    points along a bar, so that it has no gaps, and many across it. Bars, layers and boxes along the axes need few
    products and, whatever the size of the structure, few outputs. If a side exceeds 64 voxels, the smallest features
    should be no thinner than a sixty-fourth of it. Other decoders suit structures without straight edges along the axes
    better.

    On a coarse grid the block means of the profiles are multiplied, which gives the block means of the fine field
    exactly. Training on coarse grids therefore trains the fine structure itself.
    """

    coarsens = True
    writes_fractions = True

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.shape, self.channels = spec.shape, spec.channels
        axes = range(len(spec.shape))
        # Points of the profile along each axis, for bars along each axis; a single axis counts as one across.
        self.points = [
            [min(n, ALONG_POINTS if axis == along and axes[1:] else ACROSS_POINTS) for axis, n in enumerate(spec.shape)]
            for along in axes
        ]
        bars = BARS * spec.channels
        self.sizes = [bars * count for points in self.points for count in points] + [bars * len(spec.shape)]
        self.layers = perceptron(spec.n_components, spec.width, 3, sum(self.sizes))
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.constant_(last.bias, START / SHARPNESS)
        nn.init.constant_(last.bias[-self.sizes[-1] :], STRONG / SHARPNESS)
        for along, points in enumerate(self.points):
            for axis, (n, count) in enumerate(zip(spec.shape, points, strict=True)):
                self.register_buffer(f"between_{along}_{axis}", _between(n, count, spec.periodic), persistent=False)

    def forward(self, z: Tensor, factors: Sequence[int] | None = None) -> Tensor:
        """Decode ``(sample, component)`` to ``(sample, channel, *space)`` or its coarse grid; overlaps add up."""
        profiles = list(self._profiles(z, factors or (1,) * len(self.shape)))
        return sum_of_products(profiles)

    def _profiles(self, z: Tensor, factors: Sequence[int]) -> Iterator[Tensor]:
        """Profiles ``(sample, channel, bar, side)`` of all bars along each axis of space."""
        *logits, strengths = (SHARPNESS * self.layers(z)).split(self.sizes, dim=1)
        for axis, k in enumerate(factors):
            bars = []
            for along, points in enumerate(self.points):
                knots = logits[along * len(points) + axis].view(len(z), self.channels, BARS, points[axis])
                profile = functional.linear(knots, self.get_buffer(f"between_{along}_{axis}")).sigmoid()
                bars.append(profile if k == 1 else profile.unflatten(-1, (-1, k)).mean(-1))
            joined = torch.cat(bars, dim=2)
            yield joined if axis else joined * strengths.view(len(z), self.channels, -1, 1).sigmoid()


@torch.no_grad()
def few_products(structures: Tensor) -> bool:
    """Test whether two-phase images are sums of few products, so that this decoder suits them.

    The criterion is the singular values (Eckart & Young, Psychometrika 1, 211 (1936)): as many products as the decoder
    has bars along each axis leave at most a thousandth of the sum of squares unexplained. It is not conclusive for
    small images, which do not need a decoder for large ones; the result for these is False.

    Parameters
    ----------
    structures : Tensor ``(sample, y, x)``
        Labels 0 and 1.
    """
    if min(structures.shape[1:]) < 4 * BARS:
        return False
    values = torch.linalg.svdvals(structures.float()).square().sum(0)
    return bool(values[BARS:].sum() <= RESIDUAL_SHARE * values.sum())


def _between(n: int, points: int, periodic: bool) -> Tensor:
    """Weights ``(voxel, point)`` of linear interpolation; beyond the last point periodic, or else constant."""
    positions = (torch.arange(n, dtype=torch.float64) + 0.5) * points / n - 0.5
    left = positions.floor()
    share = (positions - left).unsqueeze(1)
    ends = torch.stack([left, left + 1]).long()
    ends = ends % points if periodic else ends.clamp(0, points - 1)
    below, above = functional.one_hot(ends, points)
    return ((1 - share) * below + share * above).float()
