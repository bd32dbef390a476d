"""Band: low-frequency spectra of structures that consist of boxes, and their distance to target statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Band(nn.Module):
    """Fourier transforms of periodic structures, truncated at a maximum frequency along each axis.

    The power spectrum ``|F|^2 / n`` of a phase is the Fourier transform of its autocorrelation (Wiener and Khinchin),
    and distances are the same in both (Parseval). Truncated, it is that of a smoothed structure.

    Parameters
    ----------
    shape : tuple of int
        Voxels along each axis of the structures.
    most : int
        Maximum number of points along each axis of the grid of the band; shorter axes are complete.
    """

    weights: Tensor

    def __init__(self, shape: Sequence[int], most: int) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.points = tuple(min(n, most) for n in shape)
        self.axes = tuple(range(1, 1 + len(shape)))
        weights = torch.ones(())
        for axis, (n, points) in enumerate(zip(self.shape, self.points, strict=True)):
            last = axis == len(shape) - 1
            frequency = torch.arange(points // 2 + 1) if last else torch.fft.fftfreq(points, 1 / points).long()
            # The highest frequency of an even number of points has no sign and is omitted.
            weight = (2 * frequency.abs() != points).float()
            if last:
                weight[1:] *= 2
            weights = weights.unsqueeze(-1) * weight
            angle = 2 * math.pi * (torch.arange(n).unsqueeze(1) * frequency % n).double() / n
            self.register_buffer(f"cos_{axis}", angle.cos().float(), persistent=False)
            self.register_buffer(f"sin_{axis}", -angle.sin().float(), persistent=False)
            self.register_buffer(f"frequency_{axis}", frequency, persistent=False)
        self.register_buffer("weights", weights, persistent=False)

    def power(self, statistics: Tensor) -> Tensor:
        """Power spectra ``(sample, *frequency)`` of autocorrelations ``(sample, *lag)``, zero lag at the centre."""
        power = torch.fft.rfftn(torch.fft.ifftshift(statistics, self.axes), dim=self.axes).real
        for axis, n in enumerate(self.shape):
            power = power.index_select(axis + 1, self.get_buffer(f"frequency_{axis}") % n)
        return power

    def axis_spectra(self, middle: Tensor, extent: Tensor) -> list[Tensor]:
        """Fourier transforms ``(..., frequency)`` of boxes along each axis, over the root of the number of voxels.

        A voxel at an edge counts by the fraction inside, so that edges may lie anywhere.

        Parameters
        ----------
        middle, extent : Tensor ``(..., axis)``
            In voxels; the structure begins at 0.
        """
        spectra = []
        for axis, n in enumerate(self.shape):
            half = extent[..., axis] / 2
            low, high = (self._below(middle[..., axis] + side, axis) for side in (-half, half))
            spectra.append((high - low) / n**0.5)
        return spectra

    def _below(self, edge: Tensor, axis: int) -> Tensor:
        """Fourier transform of the interval from 0 to an edge: a geometric series, and a fraction of one voxel."""
        phases = torch.complex(self.get_buffer(f"cos_{axis}"), self.get_buffer(f"sin_{axis}"))
        whole = edge.detach().floor()
        phase = phases[whole.long() % self.shape[axis]]
        step = 1 - phases[1 % self.shape[axis]]
        still = self.get_buffer(f"frequency_{axis}") == 0
        series = torch.where(still, whole.unsqueeze(-1), (1 - phase) / torch.where(still, 1, step))
        return series + (edge - whole).unsqueeze(-1) * phase

    def spectra(self, middle: Tensor, extent: Tensor) -> Tensor:
        """Fourier transforms ``(..., *frequency)`` of boxes; see `axis_spectra`."""
        whole, *others = self.axis_spectra(middle, extent)
        for depth, other in enumerate(others, start=1):
            whole = whole.unsqueeze(-1) * other[(..., *[None] * depth, slice(None))]
        return whole

    def distance(self, spectrum: Tensor, power: Tensor) -> Tensor:
        """Squared distance ``(sample,)`` between the statistics of spectra ``(sample, *frequency)`` and the target."""
        return (self.weights * (_square(spectrum) - power).square()).flatten(1).sum(1)

    def norm(self, power: Tensor) -> Tensor:
        """Squared norm ``(sample,)`` of statistics."""
        return (self.weights * power.square()).flatten(1).sum(1)

    def distance_everywhere(self, rest: Tensor, box: Tensor, power: Tensor) -> Tensor:
        """Squared distance of the statistics to the target if a box is added, for every position on the grid.

        With the spectra R of the other boxes and B of the new one, shifted by r, the power is
        ``|R|^2 + |B|^2 + 2 Re(R conj(B) exp(i k r))``. The squared distance to the target has terms in
        ``exp(i k r)`` and ``exp(2 i k r)``: two inverse Fourier transforms give the distance at all positions at once.

        Parameters
        ----------
        rest, box : complex Tensor ``(..., *frequency)``
            They are broadcast.
        power : Tensor ``(..., *frequency)``

        Returns
        -------
        Tensor ``(..., *point)``
            At `points` positions along each axis.
        """
        ndim = len(self.points)
        axes = tuple(range(-ndim, 0))
        excess = _square(rest) + _square(box) - power
        mixed = rest * box.conj()
        still = (self.weights * (excess.square() + 2 * _square(mixed))).flatten(-ndim).sum(-1)
        # Omitted frequencies have no weight; the inverse transform accounts for both halves.
        kept = self.weights > 0
        once, twice = (
            torch.fft.irfftn(term * kept, s=self.points, dim=axes, norm="forward")
            for term in (excess * mixed, mixed * mixed)
        )
        for axis, points in zip(axes, self.points, strict=True):
            twice = twice.index_select(axis, 2 * torch.arange(points, device=twice.device) % points)
        return still[(..., *[None] * ndim)] + 4 * once + 2 * twice


def _square(spectrum: Tensor) -> Tensor:
    return spectrum.real.square() + spectrum.imag.square()
