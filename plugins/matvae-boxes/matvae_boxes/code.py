"""Which box, and which of its numbers, each component of a latent is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

# Kinds of boxes: of one with a size of its own the kind is rough; of one without it is all there is.
KINDS, KINDS_ALONE = 8, 48
# Share of a turn that is left free at either end, so that rounding takes no box to the next turn.
MARGIN = 1e-4


class Boxes(NamedTuple):
    """Boxes of each sample.

    Parameters
    ----------
    kind : Tensor of int ``(sample, box)``
        0 where there is no box, else its kind, from 1 on.
    place : Tensor ``(sample, box, axis)``
        Middle of the box as a share of the structure's sides, from 0 to 1.
    size : Tensor ``(sample, box, axis)``
        Where the box stands among those of its kind, from -1 to 1 along each principal direction.
    """

    kind: Tensor
    place: Tensor
    size: Tensor


@dataclass(frozen=True)
class BoxCode:
    """How the components of a latent are dealt to boxes.

    Statistics do not know where a structure lies, so the first box stays in the middle. Every other one has its place,
    one component an axis; what is left is dealt out as sizes. A latent that is normally distributed is evenly
    distributed as ``u = Phi(z)``. The first component of a box turns through its range once for each kind of box, and
    once for no box at all: the turn is the kind, the rest of the way a place or a size.

    Parameters
    ----------
    n_components : int
        Size of the latent.
    ndim : int
        Axes of space.
    n_boxes : int
        Most boxes in a structure: beside the first, which needs a component, at most one for each `ndim` components.
    """

    n_components: int
    ndim: int
    n_boxes: int

    @property
    def sizes(self) -> list[int]:
        """Numbers of components that are sizes, for each box."""
        left = min(self.n_components - self.ndim * (self.n_boxes - 1), self.ndim * self.n_boxes)
        return [left // self.n_boxes + (box < left % self.n_boxes) for box in range(self.n_boxes)]

    @property
    def kinds(self) -> list[int]:
        """Numbers of kinds, for each box."""
        return [KINDS if n else KINDS_ALONE for n in self.sizes]

    def read(self, z: Tensor) -> Boxes:
        """Latents ``(sample, component)`` to boxes; places and sizes keep the gradient."""
        u = torch.special.ndtr(z)
        kinds, places, sizes = [], [], []
        for start, n_places, n_sizes, turns in self._shares():
            way = u[:, start : start + n_places + n_sizes]
            turned = way[:, :1] * turns
            kind = turned.detach().floor().clamp(0, turns - 1)
            way = torch.cat([turned - kind, way[:, 1:]], 1)
            kinds.append(kind.long())
            place, size = way.split([n_places, n_sizes], 1)
            places.append(place if n_places else torch.full_like(z[:, :1], 0.5).expand(-1, self.ndim))
            sizes.append(torch.nn.functional.pad(2 * size - 1, (0, self.ndim - n_sizes)))
        return Boxes(torch.cat(kinds, 1), torch.stack(places, 1), torch.stack(sizes, 1))

    def write(self, boxes: Boxes) -> Tensor:
        """Boxes to latents ``(sample, component)``; what a missing box would be is left at the middle."""
        ways = []
        for box, (_, n_places, n_sizes, turns) in enumerate(self._shares()):
            kind = boxes.kind[:, box : box + 1]
            place, size = boxes.place[:, box, :n_places] % 1, (boxes.size[:, box, :n_sizes] + 1) / 2
            way = torch.where(kind > 0, torch.cat([place, size], 1), 0.5).clamp(MARGIN, 1 - MARGIN)
            ways.append(torch.cat([(kind + way[:, :1]) / turns, way[:, 1:]], 1))
        idle = self.n_components - sum(way.shape[1] for way in ways)
        ways.append(torch.full_like(ways[0][:, :1], 0.5).expand(-1, idle))
        return torch.special.ndtri(torch.cat(ways, 1))

    def used(self, kind: Tensor) -> Tensor:
        """Which components ``(sample, component)`` say something of boxes that are there, of these kinds."""
        there = [
            (kind[:, box : box + 1] > 0).expand(-1, n_places + n_sizes)
            for box, (_, n_places, n_sizes, _) in enumerate(self._shares())
        ]
        used = torch.cat(there, 1)
        return torch.nn.functional.pad(used, (0, self.n_components - used.shape[1]))

    def _shares(self) -> Sequence[tuple[int, int, int, int]]:
        """First component, numbers of places and sizes, and turns, of each box."""
        shares, start = [], 0
        for box, (n_sizes, n_kinds) in enumerate(zip(self.sizes, self.kinds, strict=True)):
            n_places = self.ndim if box else 0
            shares.append((start, n_places, n_sizes, n_kinds + 1))
            start += n_places + n_sizes
        return shares
