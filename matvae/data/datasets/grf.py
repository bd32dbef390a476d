"""Level-cut Gaussian random fields: two or more interwoven phases with known 2-point statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from statistics import NormalDist

import numpy as np

from ...errors import InputError
from ...grid import MAX_PHASES, Grid
from ...validate import boolean
from .parameters import fractions, number_range, per_axis


class GaussianRandomField:
    """Level-cut periodic Gaussian random field with covariance ``exp(-sum_a (r_a / l_a)**2)``.

    Phase 0 is where the field is lowest, the last phase where it is highest. For two phases of volume fraction 1/2 and
    ``exact_fractions=False`` the expected autocorrelation of a phase at lag r is ``1/4 + arcsin(rho(r)) / (2 pi)``,
    where rho is the covariance (Sheppard, Philosophical Transactions of the Royal Society A 192, 101, 1899).

    Parameters
    ----------
    shape : sequence of int
        Voxels along one to three axes.
    volume_fractions : sequence of float
        Volume fractions of the phases 0..H-1, which sum to 1.
    correlation_length : float or sequence of float
        l in voxels, one for all axes or one per axis in array order (z, y, x); at most half the length of the axis.
    volume_fraction_range : (float, float), optional
        Draw the volume fraction of phase 1 uniformly from this range in every sample; the other phases share the
        remainder in the ratio of `volume_fractions`.
    correlation_length_range : (float, float), optional
        Draw l uniformly from this range in every sample, instead of `correlation_length`.
    isotropic : bool
        With `correlation_length_range`, draw one l for all axes (True) or one for each axis (False).
    exact_fractions : bool
        Cut by rank, so that every sample has its volume fractions to the voxel (True); or at the quantiles of the
        normal distribution, so that they are correct on average and fluctuate between samples (False).

    Raises
    ------
    InputError
        If a value is out of range or does not match the shape.
    """

    def __init__(
        self,
        shape: Sequence[int] = (64, 64),
        *,
        volume_fractions: Sequence[float] = (0.5, 0.5),
        correlation_length: float | Sequence[float] = 6.0,
        volume_fraction_range: tuple[float, float] | None = None,
        correlation_length_range: tuple[float, float] | None = None,
        isotropic: bool = True,
        exact_fractions: bool = True,
    ) -> None:
        self.volume_fractions = np.array(fractions("volume_fractions", volume_fractions))
        phases = len(self.volume_fractions)
        if phases > MAX_PHASES:
            raise InputError(
                f"volume_fractions must be those of at most {MAX_PHASES} phases, but {phases} were given. "
                "Use fewer phases."
            )
        self.grid = Grid(tuple(shape), phases=phases, periodic=True)
        axes = self.grid.axes or ()
        self.isotropic = boolean("isotropic", isotropic)
        self.exact_fractions = boolean("exact_fractions", exact_fractions)
        self.volume_fraction_range = None
        if volume_fraction_range is not None:
            low, high = number_range("volume_fraction_range", volume_fraction_range, above=0, up_to=1)
            if high == 1:
                raise InputError(
                    f"volume_fraction_range must end below 1, to leave a volume fraction for the other phases, "
                    f"but {volume_fraction_range!r} was given."
                )
            self.volume_fraction_range = low, high
        longest = min(self.grid.shape) / 2
        self.correlation_length = np.array(per_axis("correlation_length", correlation_length, axes))
        self.correlation_length_range = None
        if correlation_length_range is not None:
            self.correlation_length_range = number_range(
                "correlation_length_range", correlation_length_range, above=0, up_to=longest
            )
        elif any(2 * length > n for length, n in zip(self.correlation_length, self.grid.shape, strict=True)):
            raise InputError(
                "correlation_length must be at most half the length of its axis, but "
                f"{correlation_length!r} was given for shape {self.grid.shape}. Choose a larger size."
            )
        self.property_names = (
            *(f"volume_fraction_{phase}" for phase in range(1, phases)),
            *(f"correlation_length_{axis}" for axis in axes),
        )
        self.units: Mapping[str, str] = {f"correlation_length_{axis}": "voxel" for axis in axes}

    def sample(self, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, float]]:
        """Draw one structure ``(*space)``; its properties are the parameters with which it was generated."""
        volume_fractions, lengths = self._draw_parameters(rng)
        field = gaussian_field(rng.standard_normal(self.grid.shape), lengths)
        levels = np.cumsum(volume_fractions)[:-1]
        labels = _cut_by_rank(field, levels) if self.exact_fractions else _cut_at_quantiles(field, levels)
        values = (*volume_fractions[1:], *lengths)
        return labels, dict(zip(self.property_names, map(float, values), strict=True))

    def _draw_parameters(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        volume_fractions, lengths = self.volume_fractions, self.correlation_length
        if self.volume_fraction_range is not None:
            fraction = rng.uniform(*self.volume_fraction_range)
            volume_fractions = volume_fractions * (1 - fraction) / (1 - volume_fractions[1])
            volume_fractions[1] = fraction
        if self.correlation_length_range is not None:
            n_draws = 1 if self.isotropic else self.grid.ndim
            lengths = np.resize(rng.uniform(*self.correlation_length_range, n_draws), self.grid.ndim)
        return volume_fractions, lengths


def gaussian_field(noise: np.ndarray, lengths: Sequence[float] | np.ndarray) -> np.ndarray:
    """Filter white noise ``(*space)`` to a periodic field ``(*space)`` of unit variance and Gaussian covariance.

    The covariance of the periodic field is that in infinite space, summed over all periodic images. Its Fourier
    transform is positive, so that its square root is an exact filter.
    """
    filters = [np.sqrt(_spectrum(n, length)) for n, length in zip(noise.shape, lengths, strict=True)]
    filters[-1] = filters[-1][: noise.shape[-1] // 2 + 1]
    gain = reduce(np.multiply.outer, filters)
    return np.fft.irfftn(np.fft.rfftn(noise) * gain, noise.shape, axes=range(noise.ndim))


def _spectrum(n: int, length: float) -> np.ndarray:
    images = np.arange(n)[:, None] + n * np.arange(-4, 5)
    covariance = np.exp(-((images / length) ** 2)).sum(axis=1)
    # Due to rounding, some values that are practically zero are about -1e-16.
    return np.maximum(np.fft.fft(covariance / covariance[0]).real, 0)


def _cut_by_rank(field: np.ndarray, levels: np.ndarray) -> np.ndarray:
    cuts = np.rint(levels * field.size).astype(int)
    order = np.argpartition(field, np.minimum(cuts, field.size - 1), axis=None)
    labels = np.empty(field.size, np.uint8)
    for phase, ranks in enumerate(np.split(order, cuts)):
        labels[ranks] = phase
    return labels.reshape(field.shape)


def _cut_at_quantiles(field: np.ndarray, levels: np.ndarray) -> np.ndarray:
    thresholds = [NormalDist().inv_cdf(level) for level in levels]
    return np.searchsorted(thresholds, field).astype(np.uint8)
