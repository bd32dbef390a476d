"""Band: the long waves of structures made of boxes, and how far their power is from the statistics wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Band(nn.Module):
    """Fourier transforms of periodic structures, cut off beyond some frequency along each axis.

    The power spectrum ``|F|^2 / n`` of a phase is the Fourier transform of its autocorrelation (Wiener and Khinchin),
    and distances are the same in both (Parseval). Cut off, it is that of a smoothed structure.

    Parameters
    ----------
    shape : tuple of int
        Voxels along each axis of the structures.
    most : int
        Points along each axis of the grid that holds the band; shorter axes are kept whole.
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
            # The highest frequency of an even number of points has no sign, so that it is left out.
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
        """Autocorrelations ``(sample, *lag)``, zero lag in the middle, to power spectra ``(sample, *frequency)``."""
        power = torch.fft.rfftn(torch.fft.ifftshift(statistics, self.axes), dim=self.axes).real
        for axis, n in enumerate(self.shape):
            power = power.index_select(axis + 1, self.get_buffer(f"frequency_{axis}") % n)
        return power

    def axis_spectra(self, middle: Tensor, extent: Tensor) -> list[Tensor]:
        """Fourier transforms ``(..., frequency)`` along each axis of boxes, over the square root of the voxels.

        A voxel at the edge counts by how much of it is inside, so that edges may lie anywhere.

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
        """Fourier transform of all that lies from 0 to an edge: a geometric series, and a share of one voxel."""
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
        """Squared distance ``(sample,)`` of the statistics of spectra ``(sample, *frequency)`` from those wanted."""
        return (self.weights * (_square(spectrum) - power).square()).flatten(1).sum(1)

    def norm(self, power: Tensor) -> Tensor:
        """Squared size ``(sample,)`` of statistics."""
        return (self.weights * power.square()).flatten(1).sum(1)

    def distance_everywhere(self, rest: Tensor, box: Tensor, power: Tensor) -> Tensor:
        """Squared distance of the statistics from those wanted when a box is added at every place of the grid.

        With the spectra R of the rest and B of the box, and a shift by r, the power is
        ``|R|^2 + |B|^2 + 2 Re(R conj(B) exp(i k r))``. Its square differs from the one wanted by terms in
        ``exp(i k r)`` and ``exp(2 i k r)``: two inverse Fourier transforms give the distance at all places at once.

        Parameters
        ----------
        rest, box : complex Tensor ``(..., *frequency)``
            Which broadcast.
        power : Tensor ``(..., *frequency)``

        Returns
        -------
        Tensor ``(..., *point)``
            At `points` places along each axis.
        """
        ndim = len(self.points)
        axes = tuple(range(-ndim, 0))
        excess = _square(rest) + _square(box) - power
        mixed = rest * box.conj()
        still = (self.weights * (excess.square() + 2 * _square(mixed))).flatten(-ndim).sum(-1)
        # Frequencies left out have no weight; the inverse transform counts both halves by itself.
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
