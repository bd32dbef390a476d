"""Random multiphase structures by blurring noise: PyMKS's generator on today's numpy."""

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
    """Make random periodic structures of given volume fractions and grain size.

    Uniform noise is blurred with a Gaussian, ``exp(-2 pi^2 sum_i (r_i / grain_size_i)^2)`` within a window of
    `grain_size` voxels, and cut at the quantiles that give each phase its share. Phases are layered by value, so phase
    0 touches phase 2 only through phase 1.

    PyMKS's own fails: it stacks an iterator and passes `interpolation` to ``np.quantile``, and numpy 2.4 takes neither.
    The structures have the same distribution, but not the same numbers: PyMKS sets the global seeds of numpy and dask,
    whereas this sets none, and structure i of a seed is the same whatever the chunks and the number of samples.

    Parameters
    ----------
    shape : tuple of int
        ``(sample, *space)`` in 1-D, 2-D or 3-D, in voxels.
    grain_size : tuple of int
        Typical size of a grain along each axis, in voxels; unequal sizes make elongated grains.
    volume_fraction : tuple of float
        Share of each phase; sums to 1.
    chunks : int
        Samples a chunk of a lazy dask array; -1 for a numpy array.
    percent_variance : float
        Each boundary between phases, as a cumulative volume fraction, moves by a uniform random number within plus
        and minus this, anew for each sample. A fraction (0.05), despite its name, which is PyMKS's.
    seed : int, optional
        None for other structures at each call.

    Returns
    -------
    array ``(sample, *space)``
        Phase labels from 0, int64; numpy, or dask where `chunks` is given.

    Raises
    ------
    InputError
        For sizes that do not match, grains larger than the domain, or volume fractions that do not sum to 1 or leave
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
    samples, space = shape[0], tuple(shape[1:])
    kernel = _kernel(grain_size, space)
    entropy = np.random.SeedSequence(seed).entropy

    def make(first: int, last: int) -> np.ndarray:
        structures = np.empty((last - first, *space), np.int64)
        for i in range(first, last):
            # A stream of its own for each structure: what is made does not depend on the chunks.
            rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(i,)))
            shift = percent_variance * rng.uniform(-1, 1, len(boundaries))
            structures[i - first] = _segment(_blur(rng.random(space), kernel), boundaries + shift)
        return structures

    def make_block(block_info: Any) -> np.ndarray:
        first, last = block_info[None]["array-location"][0]
        return make(first, last)

    if chunks == -1:
        return make(0, samples)
    blocks = da.core.normalize_chunks((chunks, *space), shape=tuple(shape))
    return da.map_blocks(make_block, chunks=blocks, dtype=np.int64, meta=np.empty((0,) * len(shape), np.int64))


def _kernel(grain_size: Sequence[int], space: Sequence[int]) -> np.ndarray:
    """Gaussian of `grain_size` about the first voxel, wrapped around ``(*space)``."""
    kernel = np.ones((), float)
    for grain, size in zip(grain_size, space, strict=True):
        # np.fft.fftfreq gives offset / grain for the offsets from -grain/2 to grain/2, zero first.
        offset = np.fft.fftfreq(grain)
        line = np.zeros(size)
        line[np.rint(offset * grain).astype(int)] = np.exp(-2 * (np.pi * offset) ** 2)
        kernel = kernel[..., None] * line
    return kernel


def _blur(noise: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Periodic convolution ``(*space)``."""
    return np.fft.irfftn(np.fft.rfftn(noise) * np.fft.rfftn(kernel), s=noise.shape, axes=range(noise.ndim))


def _segment(field: np.ndarray, boundaries: np.ndarray) -> np.ndarray:
    """Labels: how many of the quantiles each voxel of the field exceeds."""
    # A boundary at its limit, 0 or 1, may lie beyond it by rounding.
    cuts = np.quantile(field, np.clip(boundaries, 0, 1), method="nearest")
    return (field[..., None] > cuts).sum(axis=-1)


def _boundaries(volume_fraction: Sequence[float], percent_variance: float) -> np.ndarray:
    """Cumulative volume fractions between the phases, checked."""
    fractions = np.asarray(volume_fraction, float)
    if fractions.ndim != 1 or not len(fractions) or not np.all(fractions >= 0) or not np.isclose(fractions.sum(), 1):
        raise InputError(
            "volume_fraction must be one share a phase, none negative, that sum to 1, but "
            f"{volume_fraction!r} was given. Divide the shares by their sum."
        )
    boundaries = np.cumsum(fractions)[:-1]
    room = min([*boundaries, *(1 - boundaries), 0.5])
    if not 0 <= percent_variance <= room + 1e-12:
        raise InputError(
            f"percent_variance must be from 0 to {room:g}, so that no boundary between phases leaves 0 to 1 with "
            f"volume fractions {tuple(volume_fraction)}, but {percent_variance!r} was given. "
            "It is a fraction: 5 % is 0.05."
        )
    return boundaries


def _check_sizes(shape: Sequence[int], grain_size: Sequence[int], chunks: int) -> None:
    if len(shape) < 2 or len(grain_size) + 1 != len(shape) or min(shape) < 1:
        raise InputError(
            "shape must be (sample, *space), and grain_size one number for each axis of space, but "
            f"shape={tuple(shape)} and grain_size={tuple(grain_size)} were given."
        )
    if any(not 1 <= grain <= size for grain, size in zip(grain_size, shape[1:], strict=True)):
        raise InputError(
            f"grain_size must be from 1 voxel to the size of the domain {tuple(shape[1:])} along each axis, but "
            f"{tuple(grain_size)} was given. Make larger structures or smaller grains."
        )
    if chunks != -1 and chunks < 1:
        raise InputError(f"chunks must be a number of samples, or -1 for a numpy array, but {chunks!r} was given.")
