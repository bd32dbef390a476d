"""Pursuit: search for the boxes that have given statistics, without a structure to start from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from matvae.model import descend, sum_of_products

from .band import Band

# Minimum decrease of the squared relative error per box; without this price, a line is composed of two.
PRICE = 3e-3
# Relative error of the statistics below which the search has succeeded.
SOLVED = 0.02
# Squared relative errors that differ by less are equal, so that rounding decides nothing: a structure and its mirror
# image have the same statistics.
EQUAL = 1e-5
# Largest steps of the descent: of positions, in points of the fine band's grid, and of logarithms of extents.
PLACE_STEP, EXTENT_STEP = 0.125, 0.02
FIRST_STEPS, MOVE_STEPS = 60, 30
# Values per batch of transforms: as many as fit into a processor's cache, or as occupy a GPU.
CPU_CHUNK, GPU_CHUNK = 1 << 16, 1 << 24


class Found(NamedTuple):
    """Boxes of each sample, of any extent.

    Parameters
    ----------
    there : Tensor of bool ``(sample, box)``
        Whether the box exists.
    place : Tensor ``(sample, box, axis)``
        Centre of the box as a fraction of the structure's sides.
    extent : Tensor ``(sample, box, axis)``
        Logarithm of the extent in voxels.
    """

    there: Tensor
    place: Tensor
    extent: Tensor

    def without(self, box: int) -> Found:
        """All boxes except one."""
        return self._replace(there=self.there.index_fill(1, torch.tensor(box, device=self.there.device), False))

    def where(self, better: Tensor, other: Found) -> Found:
        """Boxes of `other` for the samples ``(sample,)`` where it is better, otherwise these."""
        chosen = (
            torch.where(better.view(-1, *[1] * (old.ndim - 1)), new, old) for old, new in zip(self, other, strict=True)
        )
        return Found(*chosen)


@dataclass(frozen=True)
class Pursuit:
    """Search for boxes by their statistics: one after the other, as in matching pursuit, then repeatedly in turn.

    Matching pursuit (Mallat & Zhang, IEEE Transactions on Signal Processing 41, 3397 (1993)) adds at each step the
    element that lowers the error most; `Band.distance_everywhere` evaluates all positions at once. Then all positions
    and extents are refined together by gradient descent. After that, single boxes and pairs are removed and sought
    again, which is kept where the error decreases.

    Parameters
    ----------
    rough, fine : Band
        Bands on which boxes are placed, and on which they are refined and evaluated.
    trials : Tensor ``(trial, axis)``
        Logarithms of the extents tried for each box, at every position.
    n_boxes : int
        Maximum number of boxes in a structure.
    """

    rough: Band
    fine: Band
    trials: Tensor
    n_boxes: int

    def find(self, statistics: Tensor, *, thorough: bool = True) -> Found:
        """Find boxes whose statistics are close to the given ones.

        Parameters
        ----------
        statistics : Tensor ``(sample, *lag)``
            Autocorrelations, zero lag at the centre.
        thorough : bool
            Whether pairs of boxes are also sought again.

        Returns
        -------
        Found
            Those of each sample are independent of the other samples.
        """
        nothing = statistics.new_zeros(len(statistics), self.n_boxes, len(self.rough.shape))
        found = Found(nothing[..., 0] > 0, nothing, nothing)
        power = self.rough.power(statistics)
        for box in range(self.n_boxes):
            found = self._place(found, box, self.rough, power)
        fine = self.fine.power(statistics)
        found = self._downhill(found, fine, FIRST_STEPS)
        moves: list[tuple[int, ...]] = [(box,) for box in reversed(range(self.n_boxes))]
        if not thorough:
            return self._again(found, moves, self.rough, power, fine)
        moves += reversed(list(itertools.combinations(range(self.n_boxes), 2)))
        found = self._again(found, moves, self.rough, power, fine)
        # The few that have not succeeded are worth a grid four times as fine.
        left = (self._error(found, fine) > SOLVED**2).nonzero()[:, 0]
        if len(left):
            rest = Found(*(one[left] for one in found))
            rest = self._again(rest, moves, self.fine, fine[left], fine[left])
            found = Found(*(one.index_copy(0, left, other) for one, other in zip(found, rest, strict=True)))
        return found

    def _again(self, found: Found, moves: Sequence[tuple[int, ...]], band: Band, power: Tensor, fine: Tensor) -> Found:
        """Seek the boxes of each move again, on the grid of a band with the target `power`."""
        cost = self._cost(found, fine)
        for move in moves:
            tried = found
            for box in move:
                tried = tried.without(box)
            for box in move:
                tried = self._place(tried, box, band, power)
            tried = self._downhill(tried, fine, MOVE_STEPS)
            new = self._cost(tried, fine)
            better = new < cost - EQUAL
            cost = torch.where(better, new, cost)
            found = found.where(better, tried)
        return found

    def _error(self, found: Found, power: Tensor) -> Tensor:
        """Squared relative error ``(sample,)`` of the statistics."""
        return self.fine.distance(spectrum_of(self.fine, *found), power) / self.fine.norm(power)

    def _cost(self, found: Found, power: Tensor) -> Tensor:
        return self._error(found, power) + PRICE * found.there.sum(1)

    def _place(self, found: Found, box: int, band: Band, power: Tensor) -> Found:
        """Place one box with the extent and position that suit the others best, or omit it."""
        rest = spectrum_of(band, *found.without(box))
        norm = band.norm(power)
        best = band.distance(rest, power) / norm
        trial = torch.zeros(len(power), dtype=torch.long, device=power.device)
        point, there = trial.clone(), torch.zeros_like(trial, dtype=torch.bool)
        spectra = band.spectra(torch.zeros_like(self.trials), self.trials.exp())
        most = CPU_CHUNK if power.device.type == "cpu" else GPU_CHUNK
        chunk = max(1, most // power.numel())
        count = math.prod(band.points)
        # Among equally good positions the first one is chosen.
        tilt = EQUAL * torch.arange(count, device=power.device, dtype=power.dtype) / count
        for first in range(0, len(spectra), chunk):
            some = spectra[first : first + chunk].unsqueeze(0)
            error = band.distance_everywhere(rest.unsqueeze(1), some, power.unsqueeze(1)).flatten(2)
            error = error / norm.view(-1, 1, 1) + PRICE + tilt
            least, where = error.flatten(1).min(1)
            better = least < best - EQUAL
            there = there | better
            best = torch.where(better, least, best)
            trial = torch.where(better, first + where // count, trial)
            point = torch.where(better, where % count, point)
        places = torch.stack(torch.unravel_index(point, band.points), 1)
        put = Found(there, places.to(power.dtype) / places.new_tensor(band.points), self.trials[trial])
        return Found(
            *(
                torch.cat([all_[:, :box], one.unsqueeze(1), all_[:, box + 1 :]], 1)
                for all_, one in zip(found, put, strict=True)
            )
        )

    def _downhill(self, found: Found, power: Tensor, steps: int) -> Found:
        norm = self.fine.norm(power)

        def error_of(place: Tensor, extent: Tensor) -> Tensor:
            spectrum = spectrum_of(self.fine, found.there, place, extent)
            # The root equalises the steps of all samples, whatever their error.
            return (self.fine.distance(spectrum, power) / norm + EQUAL).sqrt()

        rates = [PLACE_STEP / min(self.fine.points), EXTENT_STEP]
        place, extent = descend(error_of, found[1:], rates, steps)
        return found._replace(place=place % 1, extent=extent)


def spectrum_of(band: Band, there: Tensor, place: Tensor, extent: Tensor) -> Tensor:
    """Spectrum ``(sample, *frequency)`` of all boxes together; overlaps count twice."""
    shape = place.new_tensor(band.shape)
    first, *others = band.axis_spectra(place * shape, torch.minimum(extent.exp(), shape))
    profiles = (first * there.unsqueeze(-1), *others)
    return sum_of_products([profile.unsqueeze(1) for profile in profiles]).squeeze(1)
