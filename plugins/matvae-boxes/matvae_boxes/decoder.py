"""Decoder of boxes along the axes, whose positions and sizes are the latent itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from matvae.errors import InputError
from matvae.model import Decoder, ModelSpec, sum_of_products
from matvae.warn import warn

from .code import BoxCode, Boxes
from .dictionary import MAX_KINDS, box_extents, kinds_of, nearest_sizes
from .pursuit import Found


class BoxesDecoder(Decoder):
    """A few boxes on an empty background: for lines, layers, plates and other blocks along the axes.

    The components of the latent are positions and sizes of boxes (see `BoxCode`), so every latent decodes to sharp,
    complete boxes, and nothing is blurred between two structures. The kinds of boxes are learned: they start as the
    sizes of separate pieces of the training structures, and training refines them.

    It works with the encoder ``"pursuit"``, which finds the boxes by their statistics.
    """

    trials: Tensor
    writes_fractions = True
    encoder = "pursuit"
    needs_structures = True

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.shape = spec.shape
        ndim, n_boxes = len(spec.shape), int(spec.decoder_options["boxes"])
        self.code = BoxCode(spec.n_components, ndim, n_boxes)
        # Until there are structures to learn from, all boxes are equal.
        middle = torch.tensor([math.log(max(1.0, n / 8)) for n in spec.shape])
        self.middle = nn.Parameter(middle.expand(n_boxes, MAX_KINDS, ndim).clone())
        self.change = nn.Parameter(torch.zeros(n_boxes, MAX_KINDS, ndim, ndim))
        self.register_buffer("trials", middle.expand(MAX_KINDS, ndim).clone())

    @classmethod
    def plan(cls, spec: ModelSpec, batches: Sequence[Tensor]) -> Mapping[str, Any]:
        """Determine the maximum number of boxes in a structure from a sample."""
        if not spec.all_lags or spec.phases != 2 or spec.pairs != ((1, 1),) or not batches:
            raise InputError(
                'The decoder "boxes" needs periodic structures of two phases and the autocorrelation of phase 1 at '
                f"every lag, but phases is {spec.phases}, periodic {spec.periodic}, cutoff {spec.cutoff}, the "
                f"correlations are {spec.pairs}, and {'structures' if batches else 'statistics alone'} were given. "
                "Choose another encoder and decoder."
            )
        structures = torch.cat(list(batches))
        # Discretised structures have one field per state.
        labels = structures[:, 1] if structures.ndim == len(spec.shape) + 2 else structures
        return {"boxes": count_boxes(labels, spec.n_components)}

    @torch.no_grad()
    def calibrate(self, batches: Iterable[Tensor]) -> None:
        """Learn the kinds of boxes from batches of state fields ``(sample, phase, *space)``."""
        extents, _ = box_extents(solid for fields in batches for solid in (fields[:, 1] > 0.5).cpu().numpy())
        wanted = list(zip(self.code.kinds, self.code.sizes, strict=True))
        # The search tries all kinds without sizes for any box.
        learned = {each: kinds_of(extents, *each) for each in {*wanted, (MAX_KINDS, 0)}}
        for box, each in enumerate(wanted):
            middle, change = learned[each]
            self.middle[box, : len(middle)], self.change[box, : len(change)] = middle, change
        self.trials.copy_(learned[MAX_KINDS, 0][0])

    @torch.no_grad()
    def name(self, found: Found) -> Boxes:
        """Boxes that this decoder can draw and that are nearest to those found: the largest first, at the centre.

        Statistics do not distinguish a structure from its mirror image: of the two, the one is chosen in which the
        second box follows the first along the first axis.
        """
        volume = torch.where(found.there, found.extent.sum(-1), -torch.inf)
        order = volume.argsort(dim=1, descending=True, stable=True)
        there = found.there.gather(1, order)
        place, extent = (one.gather(1, order.unsqueeze(-1).expand_as(one)) for one in (found.place, found.extent))
        place = (place - place[:, :1] + 0.5) % 1
        mirrored = place[:, 1:2, :1] < 0.5
        place = torch.where(mirrored, 1 - place, place) if self.code.n_boxes > 1 else place
        kinds, sizes = [], []
        for box, n_kinds in enumerate(self.code.kinds):
            distance, size = nearest_sizes(extent[:, box], self.middle[box, :n_kinds], self.change[box, :n_kinds])
            kind = distance.argmin(1, keepdim=True)
            sizes.append(size.take_along_dim(kind.unsqueeze(-1), 1))
            kinds.append((kind + 1) * there[:, box : box + 1])
        return Boxes(torch.cat(kinds, 1), place, torch.cat(sizes, 1))

    def extents(self, kind: Tensor, size: Tensor) -> Tensor:
        """Extents ``(sample, box, axis)``, in voxels, of kinds ``(sample, box)`` and sizes ``(sample, box, axis)``."""
        box = torch.arange(kind.shape[1], device=kind.device)
        of_kind = (kind - 1).clamp_min(0)
        logs = self.middle[box, of_kind] + (size.unsqueeze(-1) * self.change[box, of_kind]).sum(-2)
        return torch.minimum(logs.exp(), logs.new_tensor(self.shape))

    def forward(self, z: Tensor, factors: Sequence[int] | None = None) -> Tensor:
        """Decode ``(sample, component)`` to ``(sample, 1, *space)``; overlapping boxes add up."""
        boxes = self.code.read(z)
        middle = (boxes.place + self._where(z, boxes)) * boxes.place.new_tensor(self.shape)
        extents = self.extents(boxes.kind, boxes.size)
        # The first box starts at a voxel face, and with it all boxes observed on the same grid.
        corner = middle[:, :1] - extents[:, :1] / 2
        middle = middle + (corner.round() - corner).detach()
        profiles = []
        for axis, n in enumerate(self.shape):
            voxels = torch.arange(n, device=z.device, dtype=z.dtype) + 0.5
            away = (voxels - middle[..., axis : axis + 1] + n / 2) % n - n / 2
            extent = extents[..., axis : axis + 1]
            # Fraction of each voxel inside.
            inside = (extent / 2 + 0.5 - away.abs()).clamp_min(0)
            profiles.append(torch.minimum(inside, extent.clamp_max(1)).unsqueeze(1))
        profiles[0] = profiles[0] * (boxes.kind > 0).view(len(z), 1, -1, 1)
        return sum_of_products(profiles)

    @torch.no_grad()
    def _where(self, z: Tensor, boxes: Boxes) -> Tensor:
        """Translation of the whole structure ``(sample, 1, axis)``, as fractions of the sides.

        Statistics do not determine it. With the first box always in one position, all structures would have a voxel in
        common. Sums of the components, with signs that differ between the axes, are normally distributed like the
        components, so that over all latents every position is equally likely, and similar latents are at similar
        positions. Boxes that do not exist do not count.
        """
        component = torch.arange(z.shape[1], device=z.device)
        signs = [torch.ones_like(component)]
        signs += [1 - 2 * (component // 2**axis % 2) for axis in range(len(self.shape) - 1)]
        used = self.code.used(boxes.kind).to(z)
        sums = (z * used) @ torch.stack(signs, 1).to(z) / used.sum(1, keepdim=True).clamp_min(1).sqrt()
        return torch.special.ndtr(sums).unsqueeze(1)


def count_boxes(structures: Tensor, n_components: int) -> int:
    """Determine the number of boxes of a model.

    Parameters
    ----------
    structures : Tensor ``(sample, *space)``
        Labels 0 and 1.
    n_components : int
        Size of the latent.

    Returns
    -------
    int
        The maximum number of pieces in a structure; more if the latent would otherwise have idle components; fewer,
        with a warning, if the latent is too small.

    Raises
    ------
    InputError
        If no piece is a box.
    """
    ndim = structures.ndim - 1
    _, pieces = box_extents(solid for solid in (structures != 0).cpu().numpy())
    most = 1 + (n_components - 1) // ndim
    if most < pieces:
        warn(
            f"Structures have up to {pieces} pieces, but {n_components} components encode only {most} "
            f"{'box' if most == 1 else 'boxes'}: smaller pieces are omitted. To encode all of them, set n_components "
            f"to at least {ndim * (pieces - 1) + 1}."
        )
    busy = math.ceil((n_components + ndim) / (2 * ndim))
    return min(most, max(pieces, busy))
