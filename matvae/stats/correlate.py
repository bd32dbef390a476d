"""2-point statistics of torch tensors by FFT, differentiable: the implementation behind all interfaces.

For fields m[x, h] on a grid, with an optional weight w[x] per voxel,

    f[r, (h, h')] = sum_x w[x] m[x, h] w[x + r] m[x + r, h'] / sum_x w[x] w[x + r]

(Cecen, Fast & Kalidindi, Integrating Materials and Manufacturing Innovation 5, 1 (2016), eqs. 6 and 14). The
sum runs over all voxels of a periodic structure, otherwise over the voxel pairs that lie inside the window.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from ..errors import InputError
from .complement import complement_follows, fill_complement
from .correlations import Pairs
from .lags import Cutoff, lag_ranges, lag_shape
from .pair_sums import lags_of, pair_sums

# Weights of voxel pairs below this fraction of that at lag zero are rounding errors of the transform.
NO_PAIRS = 1e-12


def correlate(
    fields: Tensor,
    pairs: Pairs,
    *,
    periodic: bool = True,
    cutoff: Cutoff = None,
    mask: Tensor | None = None,
    counts: Tensor | None = None,
    indicator: bool = False,
    out: Tensor | None = None,
    overwrite: bool = False,
) -> Tensor:
    """2-point statistics of state fields.

    Parameters
    ----------
    fields : Tensor ``(sample, state, *space)``
        Value of each local state at each voxel, one to three spatial axes. float64 is kept; other types become float32.
    pairs : sequence of (int, int)
        Indices on the state axis to correlate. For periodic structures without a mask, the index one past the last
        stands for the complement: one minus the sum of all states.
    periodic : bool
        Whether a structure continues on its opposite side.
    cutoff : int or sequence of int, optional
        Keep lags from -c to c along each axis; None keeps every lag.
    mask : Tensor ``(*space)`` or ``(sample, *space)``, optional
        Weight of each voxel, in [0, 1].
    counts : Tensor, optional
        Output of `pair_counts` for the same window and mask, if it is already known.
    indicator : bool
        Whether fields and mask hold only 0 and 1. Numbers of voxel pairs are then rounded to integers, which makes
        lags with few pairs exact; the result has no gradient.
    out : Tensor ``(sample, *lag, correlation)``, optional
        Memory for the result, which then has no gradient. Fastest if it holds one correlation after another.
    overwrite : bool
        Whether the result may take the memory of the fields, if these have no gradient.

    Returns
    -------
    Tensor ``(sample, *lag, correlation)``
        Zero lag at index N//2 (periodic), N-1 (non-periodic) or c (cutoff).

    Raises
    ------
    InputError
        If the cutoff exceeds the window, or the mask leaves no pair of voxels at some lag.
    """
    fields = fields if fields.dtype == torch.float64 else fields.to(torch.float32)
    space = tuple(fields.shape[2:])
    ranges = lag_ranges(space, periodic, cutoff)
    if counts is None:
        counts = pair_counts(space, periodic=periodic, cutoff=cutoff, mask=mask, dtype=fields.dtype)
    counts = counts.to(fields)
    if mask is not None:
        fields = fields * mask.to(fields).unsqueeze(-len(space) - 1)
    size = transform_shape(space, periodic, cutoff)
    has_complement = periodic and mask is None and fields.shape[1] in {state for pair in pairs for state in pair}
    if torch.is_grad_enabled() and fields.requires_grad and not indicator and out is None:
        if has_complement:
            fields = torch.cat([fields, 1 - fields.sum(1, keepdim=True)], dim=1)
        sums = pair_sums(fields, tuple(pairs), size, tuple(ranges))
        return torch.stack([pair_sum / counts for pair_sum in sums.unbind(1)], dim=-1)
    spectra = list(torch.fft.rfftn(fields, s=size, dim=tuple(range(2, fields.ndim))).unbind(1))
    kept = lag_shape(space, periodic, cutoff)
    if out is not None:
        sums = out.movedim(-1, 1)
    elif overwrite and fields.shape[1:] == (len(pairs), *kept):
        # Fresh memory costs more than most operations on it.
        sums = fields
    else:
        sums = fields.new_empty((len(fields), len(pairs), *kept))
    complement = len(spectra) if has_complement else None
    subtracts = complement is not None and complement_follows(pairs, complement)
    if has_complement and not subtracts:
        spectra.append(_complement(spectra, math.prod(space)))
    # Before spectra are overwritten.
    volumes = torch.stack([_at_zero_frequency(spectrum).real for spectrum in spectra], dim=1) if subtracts else None
    # If every lag is kept along axes of even length, alternating signs move zero lag to the centre.
    moves = kept == size and _even(size)
    direct = [(k, *pair) for k, pair in enumerate(pairs) if not subtracts or complement not in pair]
    last_use = {state: k for k, *pair in direct for state in pair}
    for k, first, second in direct:
        if first == second and last_use[first] == k:
            spectrum = _power_in_place(spectra[first])
        else:
            spectrum = spectra[first].conj() * spectra[second]
        if not moves:
            lags_of(spectrum, size, ranges, out=sums[:, k])
        else:
            _alternate_signs(spectrum)
            torch.fft.irfftn(spectrum, s=size, dim=tuple(range(1, spectrum.ndim)), out=sums[:, k])
        if indicator:
            sums[:, k].round_()
    if volumes is not None:
        fill_complement(sums, pairs, volumes, math.prod(space), ranges)
    return sums.div_(counts.unsqueeze(1) if counts.ndim > len(space) else counts).movedim(1, -1)


def _power_in_place(spectrum: Tensor) -> Tensor:
    """Squared modulus of a spectrum, in its own memory."""
    real, imaginary = torch.view_as_real(spectrum).unbind(-1)
    real.square_().addcmul_(imaginary, imaginary)
    imaginary.zero_()
    return spectrum


def _even(size: Sequence[int]) -> bool:
    return all(n % 2 == 0 for n in size)


def _alternate_signs(spectrum: Tensor) -> None:
    """Alternate the signs of a half spectrum along each (even) axis, which shifts the inverse transform by its half."""
    # A product of a complex and a real tensor would first convert the real one to complex.
    values = torch.view_as_real(spectrum)
    # Of real and imaginary part alike, since numbers that follow one another are multiplied fastest.
    signs = values.new_ones(2)
    for n in reversed(spectrum.shape[2:]):
        signs = (1 - 2 * (torch.arange(n, device=values.device) % 2)).to(values).view(-1, *[1] * signs.ndim) * signs
    # Signs of all axes would be as large as half the spectrum.
    values.mul_(signs)
    values[:, 1::2].neg_()


def transform_shape(space: Sequence[int], periodic: bool, cutoff: Cutoff) -> tuple[int, ...]:
    """Return the shape of the Fourier transform; windows are padded such that no kept lag wraps around."""
    if periodic:
        return tuple(space)
    ranges = lag_ranges(space, periodic, cutoff)
    padded = (n + longest - 1 for n, (_, longest) in zip(space, ranges, strict=True))
    return tuple(int(next_fast_len(n, real=True)) for n in padded)


def pair_counts(
    space: Sequence[int],
    *,
    periodic: bool = True,
    cutoff: Cutoff = None,
    mask: Tensor | None = None,
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Number (or, with a mask, weight) of voxel pairs at each lag, computed in double precision.

    Parameters
    ----------
    space : sequence of int
        Shape of one structure.
    periodic, cutoff, mask
        As in `correlate`.
    dtype : torch.dtype
        Type of the result.

    Returns
    -------
    Tensor ``()``, ``(*lag)``, or ``(sample, *lag)`` with a mask
        The number of voxels if periodic, a product of triangle functions in a window, the autocorrelation of a mask.

    Raises
    ------
    InputError
        If the mask leaves no pair of voxels at some lag.
    """
    ranges = lag_ranges(space, periodic, cutoff)
    if mask is not None:
        batched = mask if mask.ndim > len(space) else mask.unsqueeze(0)
        return _without_empty(masked_pair_counts(batched, periodic=periodic, cutoff=cutoff), ranges).to(dtype)
    counts = torch.ones((), dtype=torch.float64)
    if periodic:
        return (counts * math.prod(space)).to(dtype)
    first, *others = (
        n - torch.arange(-negative, positive, dtype=torch.float64).abs()
        for n, (negative, positive) in zip(space, ranges, strict=True)
    )
    for along_axis in others:
        counts = counts.unsqueeze(-1) * along_axis
    # Of a large window, all counts in double precision would take more memory than the statistics.
    result = torch.empty((len(first), *counts.shape), dtype=dtype)
    for row, n in zip(result, first.tolist(), strict=True):
        row.copy_(counts * n)
    return result


def _complement(spectra: list[Tensor], n_voxels: int) -> Tensor:
    """Spectrum of one minus the sum of the states with these spectra."""
    spectrum = -torch.stack(spectra).sum(0) if len(spectra) > 1 else -spectra[0]
    _at_zero_frequency(spectrum).add_(n_voxels)
    return spectrum


def _at_zero_frequency(spectrum: Tensor) -> Tensor:
    for _ in range(spectrum.ndim - 1):
        spectrum = spectrum.select(1, 0)
    return spectrum


def masked_pair_counts(mask: Tensor, *, periodic: bool, cutoff: Cutoff) -> Tensor:
    """Weight of voxel pairs at each lag ``(sample, *lag)``, in double precision, zero included.

    Parameters
    ----------
    mask : Tensor ``(sample, *space)``
        Weight of each voxel.
    periodic, cutoff
        As in `correlate`.
    """
    # Double precision distinguishes lags without pairs from those with few; Apple's GPUs lack it.
    exact = (mask.cpu() if mask.device.type == "mps" else mask).double()
    space = tuple(mask.shape[1:])
    size = transform_shape(space, periodic, cutoff)
    spectra = torch.fft.rfftn(exact, s=size, dim=tuple(range(1, exact.ndim)))
    return lags_of(spectra.conj() * spectra, size, lag_ranges(space, periodic, cutoff))


def _without_empty(counts: Tensor, ranges: Sequence[tuple[int, int]]) -> Tensor:
    """Refuse weights ``(sample, *lag)`` of a mask that are zero at some lag."""
    empty = counts <= NO_PAIRS * counts.flatten(1).amax(1).view(-1, *[1] * len(ranges))
    if bool(empty.any()):
        largest_cutoff = _largest_cutoff(empty, ranges)
        advice = (
            "It has no weight at all in at least one sample: leave that sample out."
            if largest_cutoff is None
            else f"Every lag up to cutoff={largest_cutoff} has pairs: pass that (--cutoff), or a smaller one."
        )
        raise InputError(
            f"Statistics need a pair of voxels with weight at every lag, but the mask leaves none at some. {advice}"
        )
    return counts


def _largest_cutoff(empty: Tensor, ranges: Sequence[tuple[int, int]]) -> int | None:
    """Largest cutoff, equal along all axes, up to which no lag is empty; None if zero lag is."""
    largest_cutoff = None
    for c in range(min(min(negative, positive - 1) for negative, positive in ranges) + 1):
        inner = empty
        for axis, (negative, _) in enumerate(ranges, start=1):
            inner = inner.narrow(axis, negative - c, 2 * c + 1)
        if bool(inner.any()):
            break
        largest_cutoff = c
    return largest_cutoff
