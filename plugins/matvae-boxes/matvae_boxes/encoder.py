"""Encoder without a network: it looks for the boxes that have the statistics."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from matvae.model import Encoder, ModelSpec, descend

from .band import Band
from .code import Boxes
from .decoder import BoxesDecoder
from .pursuit import Pursuit, spectrum_of

# Points along each axis of the grids on which boxes are placed, and on which they are moved.
ROUGH_POINTS, FINE_POINTS = 28, 56
# Latents are places to a fraction of a voxel.
START_LOG_VARIANCE = -14.0
# Voxel pairs by which a number of them may differ from a whole one by rounding.
ROUNDING = 0.05
# Of the last descent, with the boxes that can be named: largest steps of places, in points of the fine grid, of sizes.
PLACE_STEP, SIZE_STEP, STEPS = 0.05, 0.01, 60


class PursuitEncoder(Encoder):
    """Finds the boxes of the decoder ``"boxes"`` whose statistics are nearest, by `Pursuit`.

    A network would have to learn to retrieve phases, for every arrangement of boxes anew; where the decoder says what
    there can be, a search does that better, and knows from the first step on. Only the variance of the latent is
    learned. While training, the search is shorter.
    """

    decoder = "boxes"
    searches = True

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.rough, self.fine = Band(spec.shape, ROUGH_POINTS), Band(spec.shape, FINE_POINTS)
        self.log_variance = nn.Parameter(torch.full((spec.n_components,), START_LOG_VARIANCE))
        # In a list it is no part of this module, whose weights are its own only.
        self._followed: list[BoxesDecoder] = []

    def follow(self, decoder: nn.Module) -> None:
        """Look for what this decoder draws."""
        assert isinstance(decoder, BoxesDecoder)
        self._followed = [decoder]

    def forward(self, statistics: Tensor) -> tuple[Tensor, Tensor]:
        """``(sample, *lag, 1)`` to mean and log-variance, each ``(sample, component)``."""
        (decoder,) = self._followed
        with torch.no_grad(), torch.autocast(statistics.device.type, enabled=False):
            pursuit = Pursuit(self.rough, self.fine, decoder.trials, decoder.code.n_boxes)
            wanted = _counted(statistics[..., 0])
            found = pursuit.find(wanted, thorough=not self.training)
            boxes = self._settle(decoder, decoder.name(found), self.fine.power(wanted))
            mean = decoder.code.write(boxes)
        return mean, self.log_variance.expand(len(mean), -1)

    def _settle(self, decoder: BoxesDecoder, boxes: Boxes, power: Tensor) -> Boxes:
        """Move named boxes to where their statistics are nearest: others make up for what one cannot be."""
        norm = self.fine.norm(power)

        def error_of(place: Tensor, size: Tensor) -> Tensor:
            extent = decoder.extents(boxes.kind, size.clamp(-1, 1)).log()
            # The first box has no place; a shift of all does not change statistics.
            error = self.fine.distance(spectrum_of(self.fine, boxes.kind > 0, place, extent), power) / norm
            return (error + 1e-8).sqrt()

        rates = [PLACE_STEP / min(self.fine.points), SIZE_STEP]
        place, size = descend(error_of, [boxes.place, boxes.size], rates, STEPS)
        return Boxes(boxes.kind, (place - place[:, :1] + 0.5) % 1, size.clamp(-1, 1))


def _counted(statistics: Tensor) -> Tensor:
    """Statistics without rounding errors, where they are whole numbers of voxel pairs.

    A search takes decisions, and what a shift changes in the last digit may not turn one.
    """
    n_voxels = statistics[0].numel()
    pairs = statistics * n_voxels
    whole = pairs.round()
    return torch.where((pairs - whole).abs() < ROUNDING, whole, pairs) / n_voxels
