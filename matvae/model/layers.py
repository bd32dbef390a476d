"""Building blocks shared by encoders and decoders, in one to three dimensions."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

CONVOLUTION = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


def perceptron(n_in: int, width: int, depth: int, n_out: int) -> nn.Sequential:
    """Build `depth` hidden layers, each linear with layer norm and SiLU, followed by a linear layer."""
    layers: list[nn.Module] = []
    for k in range(depth):
        layers += [nn.Linear(n_in if k == 0 else width, width), nn.LayerNorm(width), nn.SiLU()]
    return nn.Sequential(*layers, nn.Linear(width if depth else n_in, n_out))


class Convolution(nn.Module):
    """3-voxel convolution, group norm and SiLU that keeps the shape; wraps around on periodic grids.

    Parameters
    ----------
    ndim : int
        Number of spatial axes.
    n_in, n_out : int
        Channels.
    periodic : bool
        Whether to pad with the opposite side instead of zeros.
    stride : int
        Keep every `stride`-th voxel.
    """

    def __init__(self, ndim: int, n_in: int, n_out: int, *, periodic: bool, stride: int = 1) -> None:
        super().__init__()
        self.pad = (1,) * (2 * ndim)
        self.mode = "circular" if periodic else "constant"
        self.convolution = CONVOLUTION[ndim](n_in, n_out, 3, stride=stride)
        self.norm = nn.GroupNorm(max(1, n_out // 16), n_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(sample, channel, *space)`` to `n_out` channels, and to every `stride`-th voxel."""
        return functional.silu(self.norm(self.convolution(functional.pad(x, self.pad, mode=self.mode))))


def halvings(shape: Sequence[int], coarsest: int = 4) -> list[tuple[int, ...]]:
    """Shapes obtained by halving `shape`, rounded up, until no axis has more than `coarsest` voxels."""
    shapes = [tuple(shape)]
    while max(shapes[-1]) > coarsest:
        shapes.append(tuple(-(-n // 2) for n in shapes[-1]))
    return shapes


def sum_of_products(profiles: Sequence[Tensor]) -> Tensor:
    """Sum products of profiles, ``(sample, channel, product, side)`` per axis, to ``(sample, channel, *space)``."""
    first, *others = profiles
    if not others:
        return first.sum(2)
    # Outer products for all axes but the last; the matrix product of the last one also sums.
    for other in others[:-1]:
        first = (first.unsqueeze(-1) * other.unsqueeze(-2)).flatten(3)
    sides = [profile.shape[-1] for profile in profiles]
    return (first.transpose(2, 3) @ others[-1]).view(*first.shape[:2], *sides)
