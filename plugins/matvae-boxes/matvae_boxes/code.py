"""Meaning of the components of a latent: positions, sizes and kinds of boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

# Numbers of kinds: few for a box whose size has components of its own, many for a box without.
KINDS, KINDS_ALONE = 8, 48
# Fraction of a branch left free at either end, so that rounding moves no box to the next branch.
MARGIN = 1e-4


class Boxes(NamedTuple):
    """Boxes of each sample.

    Parameters
    ----------
    kind : Tensor of int ``(sample, box)``
        0 if there is no box, otherwise its kind, starting at 1.
    place : Tensor ``(sample, box, axis)``
        Centre of the box as a fraction of the structure's sides, from 0 to 1.
    size : Tensor ``(sample, box, axis)``
        Size of the box relative to others of its kind, from -1 to 1 along each principal direction.
    """

    kind: Tensor
    place: Tensor
    size: Tensor


@dataclass(frozen=True)
class BoxCode:
    """Assignment of the components of a latent to boxes.

    Statistics do not depend on where a structure lies, so the first box stays in the centre. Every other box has one
    component per axis for its position; the remaining components are sizes. A normally distributed latent is uniformly
    distributed as ``u = Phi(z)``. The range of the first component of a box is divided into one branch for each kind of
    box, and one for no box at all: the branch is the kind, and the value within the branch a position or a size.

    Parameters
    ----------
    n_components : int
        Size of the latent.
    ndim : int
        Number of spatial axes.
    n_boxes : int
        Maximum number of boxes in a structure: the first, which needs one component, and at most one more per `ndim`
        components.
    """

    n_components: int
    ndim: int
    n_boxes: int

    @property
    def sizes(self) -> list[int]:
        """Number of components that are sizes, for each box."""
        n_left = min(self.n_components - self.ndim * (self.n_boxes - 1), self.ndim * self.n_boxes)
        return [n_left // self.n_boxes + (box < n_left % self.n_boxes) for box in range(self.n_boxes)]

    @property
    def kinds(self) -> list[int]:
        """Number of kinds, for each box."""
        return [KINDS if n else KINDS_ALONE for n in self.sizes]

    def read(self, z: Tensor) -> Boxes:
        """Decode latents ``(sample, component)`` to boxes; positions and sizes carry the gradient."""
        u = torch.special.ndtr(z)
        kinds, places, sizes = [], [], []
        for start, n_places, n_sizes, n_branches in self._shares():
            value = u[:, start : start + n_places + n_sizes]
            scaled = value[:, :1] * n_branches
            kind = scaled.detach().floor().clamp(0, n_branches - 1)
            value = torch.cat([scaled - kind, value[:, 1:]], 1)
            kinds.append(kind.long())
            place, size = value.split([n_places, n_sizes], 1)
            places.append(place if n_places else torch.full_like(z[:, :1], 0.5).expand(-1, self.ndim))
            sizes.append(torch.nn.functional.pad(2 * size - 1, (0, self.ndim - n_sizes)))
        return Boxes(torch.cat(kinds, 1), torch.stack(places, 1), torch.stack(sizes, 1))

    def write(self, boxes: Boxes) -> Tensor:
        """Encode boxes as latents ``(sample, component)``; components of missing boxes are at their centre."""
        values = []
        for box, (_, n_places, n_sizes, n_branches) in enumerate(self._shares()):
            kind = boxes.kind[:, box : box + 1]
            place, size = boxes.place[:, box, :n_places] % 1, (boxes.size[:, box, :n_sizes] + 1) / 2
            value = torch.where(kind > 0, torch.cat([place, size], 1), 0.5).clamp(MARGIN, 1 - MARGIN)
            values.append(torch.cat([(kind + value[:, :1]) / n_branches, value[:, 1:]], 1))
        n_idle = self.n_components - sum(value.shape[1] for value in values)
        values.append(torch.full_like(values[0][:, :1], 0.5).expand(-1, n_idle))
        return torch.special.ndtri(torch.cat(values, 1))

    def used(self, kind: Tensor) -> Tensor:
        """Components ``(sample, component)`` that belong to boxes present, given their kinds."""
        present = [
            (kind[:, box : box + 1] > 0).expand(-1, n_places + n_sizes)
            for box, (_, n_places, n_sizes, _) in enumerate(self._shares())
        ]
        used = torch.cat(present, 1)
        return torch.nn.functional.pad(used, (0, self.n_components - used.shape[1]))

    def _shares(self) -> Sequence[tuple[int, int, int, int]]:
        """First component, numbers of position and size components, and number of branches, of each box."""
        shares, start = [], 0
        for box, (n_sizes, n_kinds) in enumerate(zip(self.sizes, self.kinds, strict=True)):
            n_places = self.ndim if box else 0
            shares.append((start, n_places, n_sizes, n_kinds + 1))
            start += n_places + n_sizes
        return shares
