"""Random multiphase structures from blurred noise: PyMKS's generator for current numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dask.array as da
import numpy as np

from matvae.errors import InputError


def generate_multiphase(
    shape: Sequence[int],
    grain_size: Sequence[int],
    volume_fraction: Sequence[float],
    chunks: int = -1,
    percent_variance: float = 0.0,
    seed: int | None = None,
) -> Any:
    """Generate random periodic structures with given volume fractions and grain size.

    Uniform noise is blurred with a Gaussian, ``exp(-2 pi^2 sum_i (r_i / grain_size_i)^2)`` within a window of
    `grain_size` voxels, and segmented at the quantiles that yield the volume fractions. Phases are ordered by value, so
    phase 1 separates phases 0 and 2.

    PyMKS's own function fails: it stacks an iterator and passes `interpolation` to ``np.quantile``, neither of which
    numpy 2.4 accepts. The structures have the same distribution but other values: PyMKS sets the global seeds of numpy
    and dask, whereas this function sets none, and structure i of a seed does not depend on the chunks or the number of
    samples.

    Parameters
    ----------
    shape : tuple of int
        ``(sample, *space)`` in 1-D, 2-D or 3-D, in voxels.
    grain_size : tuple of int
        Typical size of a grain along each axis, in voxels; unequal sizes yield elongated grains.
    volume_fraction : tuple of float
        Volume fraction of each phase; they must sum to 1.
    chunks : int
        Number of samples per chunk of a lazy dask array; -1 for a numpy array.
    percent_variance : float
        For each sample, each boundary between phases (a cumulative volume fraction) is shifted by a uniform random
        number between minus and plus this value. A fraction such as 0.05, despite PyMKS's name.
    seed : int, optional
        None generates other structures at each call.

    Returns
    -------
    array ``(sample, *space)``
        Phase labels from 0, int64; numpy, or dask if `chunks` is given.

    Raises
    ------
    InputError
        If sizes do not match, grains are larger than the domain, or volume fractions do not sum to 1 or can leave
        [0, 1] by `percent_variance`.

    Examples
    --------
    >>> from matvae_pymks import generate_multiphase
    >>> structures = generate_multiphase((2, 10, 10), grain_size=(2, 6), volume_fraction=(0.3, 0.7), seed=0)
    >>> structures.shape, structures.mean(axis=(1, 2)).round(1).tolist()  # to the nearest voxel
    ((2, 10, 10), [0.7, 0.7])
    """
    boundaries = _boundaries(volume_fraction, percent_variance)
    _check_sizes(shape, grain_size, chunks)
    n_samples, space = shape[0], tuple(shape[1:])
    kernel = _kernel(grain_size, space)
    entropy = np.random.SeedSequence(seed).entropy

    def generate(first: int, last: int) -> np.ndarray:
        structures = np.empty((last - first, *space), np.int64)
        for i in range(first, last):
            # Each structure has its own random stream, so that the result does not depend on the chunks.
            rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(i,)))
            shift = percent_variance * rng.uniform(-1, 1, len(boundaries))
            structures[i - first] = _segment(_blur(rng.random(space), kernel), boundaries + shift)
        return structures

    def generate_block(block_info: Any) -> np.ndarray:
        first, last = block_info[None]["array-location"][0]
        return generate(first, last)

    if chunks == -1:
        return generate(0, n_samples)
    blocks = da.core.normalize_chunks((chunks, *space), shape=tuple(shape))
    return da.map_blocks(generate_block, chunks=blocks, dtype=np.int64, meta=np.empty((0,) * len(shape), np.int64))


def _kernel(grain_size: Sequence[int], space: Sequence[int]) -> np.ndarray:
    """Gaussian of `grain_size`, centred at the first voxel and wrapped periodically around ``(*space)``."""
    kernel = np.ones((), float)
    for grain, size in zip(grain_size, space, strict=True):
        # np.fft.fftfreq returns offset / grain for the offsets from -grain/2 to grain/2, starting at zero.
        offset = np.fft.fftfreq(grain)
        profile = np.zeros(size)
        profile[np.rint(offset * grain).astype(int)] = np.exp(-2 * (np.pi * offset) ** 2)
        kernel = kernel[..., None] * profile
    return kernel


def _blur(noise: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Periodic convolution ``(*space)``."""
    return np.fft.irfftn(np.fft.rfftn(noise) * np.fft.rfftn(kernel), s=noise.shape, axes=range(noise.ndim))


def _segment(field: np.ndarray, boundaries: np.ndarray) -> np.ndarray:
    """Label each voxel by the number of quantiles that it exceeds."""
    # Rounding may move a boundary beyond 0 or 1.
    thresholds = np.quantile(field, np.clip(boundaries, 0, 1), method="nearest")
    return (field[..., None] > thresholds).sum(axis=-1)


def _boundaries(volume_fraction: Sequence[float], percent_variance: float) -> np.ndarray:
    """Check volume fractions, and return the cumulative ones between the phases."""
    fractions = np.asarray(volume_fraction, float)
    if fractions.ndim != 1 or not len(fractions) or not np.all(fractions >= 0) or not np.isclose(fractions.sum(), 1):
        raise InputError(
            "volume_fraction must be one number per phase, none negative, that sum to 1, but "
            f"{volume_fraction!r} was given. Divide the numbers by their sum."
        )
    boundaries = np.cumsum(fractions)[:-1]
    largest = min([*boundaries, *(1 - boundaries), 0.5])
    if not 0 <= percent_variance <= largest + 1e-12:
        raise InputError(
            f"percent_variance must be from 0 to {largest:g}, so that cumulative volume fractions stay within [0, 1] "
            f"for {tuple(volume_fraction)}, but {percent_variance!r} was given. It is a fraction: 5 % is 0.05."
        )
    return boundaries


def _check_sizes(shape: Sequence[int], grain_size: Sequence[int], chunks: int) -> None:
    if len(shape) < 2 or len(grain_size) + 1 != len(shape) or min(shape) < 1:
        raise InputError(
            "shape must be (sample, *space), and grain_size one number per axis of space, but "
            f"shape={tuple(shape)} and grain_size={tuple(grain_size)} were given."
        )
    if any(not 1 <= grain <= size for grain, size in zip(grain_size, shape[1:], strict=True)):
        raise InputError(
            f"grain_size must be from 1 voxel to the size of the domain {tuple(shape[1:])} along each axis, but "
            f"{tuple(grain_size)} was given. Generate larger structures or smaller grains."
        )
    if chunks != -1 and chunks < 1:
        raise InputError(f"chunks must be a number of samples, or -1 for a numpy array, but {chunks!r} was given.")
