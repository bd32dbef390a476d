"""Decoder that writes a structure as bars along the axes: products of profiles, one profile an axis."""

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
# Points of a profile, or one a voxel where there are fewer voxels: a bar is even along its axis, and its place
# across it is to be found exactly.
ALONG_POINTS, ACROSS_POINTS = 16, 64
# Of logits: a perceptron's outputs are about one, and a profile is to be flat where the bar is and where it is not.
SHARPNESS = 3.0
# Logits of profiles and of strengths at the start: bars that are faint, and spread everywhere.
START, STRONG = -2.7, 2.0
LEFT_OVER = 1e-3


class SeparableDecoder(Decoder):
    """A perceptron from the latent to profiles along the axes, which are multiplied to bars and summed up.

    In two dimensions the field is ``sum_k a_k u_k(y) v_k(x)``, with strengths a_k from 0 to 1. Each profile is the
    sigmoid of logits that are given at points and interpolated in between: a level set on a line, 0 or 1 but for its
    edges, which lie anywhere between the points. Half of the bars of an image run along y, half along x; along a bar
    the points are few, so that it has no gaps, and across it they are many. Bars, layers and boxes along the axes need
    few products, and however large a structure is, few outputs: of sides beyond 64 voxels the smallest features should
    be no thinner than a sixty-fourth. Structures without straight edges along the axes are better left to the others.

    Of a coarse grid the profiles' means over blocks are multiplied, which gives the block means of the fine field
    exactly. A training on coarse grids therefore trains the fine structure itself.
    """

    coarsens = True
    writes_fractions = True

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.shape, self.channels = spec.shape, spec.channels
        axes = range(len(spec.shape))
        # Points of the profile along each axis, for bars along each axis; the only axis there is, is one across.
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
        """``(sample, component)`` to ``(sample, channel, *space)``, or its coarse grid; overlapping bars add up."""
        profiles = list(self._profiles(z, factors or (1,) * len(self.shape)))
        return sum_of_products(profiles)

    def _profiles(self, z: Tensor, factors: Sequence[int]) -> Iterator[Tensor]:
        """Profiles ``(sample, channel, bar, side)`` of all bars along each axis of space."""
        *logits, strengths = (SHARPNESS * self.layers(z)).split(self.sizes, dim=1)
        for axis, k in enumerate(factors):
            bars = []
            for along, points in enumerate(self.points):
                given = logits[along * len(points) + axis].view(len(z), self.channels, BARS, points[axis])
                profile = functional.linear(given, self.get_buffer(f"between_{along}_{axis}")).sigmoid()
                bars.append(profile if k == 1 else profile.unflatten(-1, (-1, k)).mean(-1))
            whole = torch.cat(bars, dim=2)
            yield whole if axis else whole * strengths.view(len(z), self.channels, -1, 1).sigmoid()


@torch.no_grad()
def few_products(structures: Tensor) -> bool:
    """Whether two-phase images are sums of few products, so that this decoder suits them.

    By their singular values (Eckart & Young, Psychometrika 1, 211 (1936)): as many products as the decoder has bars
    along each axis leave at most a thousandth of the squares of all voxels. Of small images little can be told that
    way, and they need no decoder made for large ones.

    Parameters
    ----------
    structures : Tensor ``(sample, y, x)``
        Labels 0 and 1.
    """
    if min(structures.shape[1:]) < 4 * BARS:
        return False
    values = torch.linalg.svdvals(structures.float()).square().sum(0)
    return bool(values[BARS:].sum() <= LEFT_OVER * values.sum())


def _between(n: int, points: int, periodic: bool) -> Tensor:
    """Weights ``(voxel, point)`` of linear interpolation; beyond the last point around the edge, or constant."""
    places = (torch.arange(n, dtype=torch.float64) + 0.5) * points / n - 0.5
    left = places.floor()
    share = (places - left).unsqueeze(1)
    ends = torch.stack([left, left + 1]).long()
    ends = ends % points if periodic else ends.clamp(0, points - 1)
    below, above = functional.one_hot(ends, points)
    return ((1 - share) * below + share * above).float()
