"""Encoder without a network: it searches for the boxes that have the statistics."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from matvae.model import Encoder, ModelSpec, descend

from .band import Band
from .code import Boxes
from .decoder import BoxesDecoder
from .pursuit import Pursuit, spectrum_of

# Points along each axis of the grids on which boxes are placed, and on which they are refined.
ROUGH_POINTS, FINE_POINTS = 28, 56
# Latents are positions to a fraction of a voxel.
START_LOG_VARIANCE = -14.0
# Rounding error of a number of voxel pairs, which is a whole number.
ROUNDING = 0.05
# Largest steps of the last descent: of positions, in points of the fine grid, and of sizes; and their number.
PLACE_STEP, SIZE_STEP, STEPS = 0.05, 0.01, 60


class PursuitEncoder(Encoder):
    """Finds the boxes of the decoder ``"boxes"`` whose statistics are nearest, by `Pursuit`.

    A network would have to learn phase retrieval for every arrangement of boxes; given what the decoder can draw, a
    search does this better, and from the first step. Only the variance of the latent is learned. During training the
    search is shorter.
    """

    decoder = "boxes"
    searches = True

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.rough, self.fine = Band(spec.shape, ROUGH_POINTS), Band(spec.shape, FINE_POINTS)
        self.log_variance = nn.Parameter(torch.full((spec.n_components,), START_LOG_VARIANCE))
        # In a list it is not a submodule, so its weights are not those of this module.
        self._followed: list[BoxesDecoder] = []

    def follow(self, decoder: nn.Module) -> None:
        """Search for boxes of this decoder."""
        assert isinstance(decoder, BoxesDecoder)
        self._followed = [decoder]

    def forward(self, statistics: Tensor) -> tuple[Tensor, Tensor]:
        """Encode ``(sample, *lag, 1)`` as mean and log-variance, each ``(sample, component)``."""
        (decoder,) = self._followed
        with torch.no_grad(), torch.autocast(statistics.device.type, enabled=False):
            pursuit = Pursuit(self.rough, self.fine, decoder.trials, decoder.code.n_boxes)
            wanted = _counted(statistics[..., 0])
            found = pursuit.find(wanted, thorough=not self.training)
            boxes = self._settle(decoder, decoder.name(found), self.fine.power(wanted))
            mean = decoder.code.write(boxes)
        return mean, self.log_variance.expand(len(mean), -1)

    def _settle(self, decoder: BoxesDecoder, boxes: Boxes, power: Tensor) -> Boxes:
        """Refine named boxes until their statistics are nearest: some compensate for what others cannot be."""
        norm = self.fine.norm(power)

        def error_of(place: Tensor, size: Tensor) -> Tensor:
            extent = decoder.extents(boxes.kind, size.clamp(-1, 1)).log()
            # The first box has no position; a translation of all boxes does not change statistics.
            error = self.fine.distance(spectrum_of(self.fine, boxes.kind > 0, place, extent), power) / norm
            return (error + 1e-8).sqrt()

        rates = [PLACE_STEP / min(self.fine.points), SIZE_STEP]
        place, size = descend(error_of, [boxes.place, boxes.size], rates, STEPS)
        return Boxes(boxes.kind, (place - place[:, :1] + 0.5) % 1, size.clamp(-1, 1))


def _counted(statistics: Tensor) -> Tensor:
    """Statistics without rounding errors, where they are whole numbers of voxel pairs.

    A search makes decisions, which a change of the last digit by a translation must not alter.
    """
    n_voxels = statistics[0].numel()
    pairs = statistics * n_voxels
    whole = pairs.round()
    return torch.where((pairs - whole).abs() < ROUNDING, whole, pairs) / n_voxels
