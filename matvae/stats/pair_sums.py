"""Sums over voxel pairs with their own gradient: two transforms back where automatic differentiation takes more.

With the sums s[r] = sum_x a[x] b[x + r] and a gradient g[r], the chain rule gives sums of the same kind,

    ds/da: sum_r g[r] b[x + r],        ds/db: sum_r g[r] a[x - r],

so a backward pass is one real transform a pair and one back a state, on spectra that the forward pass has already.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .correlations import Pairs

Ranges = Sequence[tuple[int, int]]


def pair_sums(fields: Tensor, pairs: Pairs, size: tuple[int, ...], ranges: Ranges) -> Tensor:
    """Sums over voxel pairs at every lag, differentiable as often as wanted.

    Parameters
    ----------
    fields : Tensor ``(sample, state, *space)``
        Value of each state at each voxel.
    pairs : sequence of (int, int)
        Indices on the state axis.
    size : tuple of int
        Shape of the Fourier transform.
    ranges : sequence of (int, int)
        Numbers of negative and of other lags along each axis.

    Returns
    -------
    Tensor ``(sample, pair, *lag)``
    """
    sums: Tensor = _PairSums.apply(fields, pairs, size, ranges)
    return sums


class _PairSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, fields: Tensor, pairs: Pairs, size: tuple[int, ...], ranges: Ranges) -> Tensor:
        spectra = _transform(fields, size)
        ctx.save_for_backward(fields, spectra)
        ctx.pairs, ctx.size, ctx.ranges = pairs, size, ranges
        return torch.stack([lags_of(_power(spectra[:, i], spectra[:, j], i == j), size, ranges) for i, j in pairs], 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        fields, spectra = ctx.saved_tensors
        if torch.is_grad_enabled():
            # A second derivative is asked for: it needs to see where the spectra come from.
            spectra = _transform(fields, ctx.size)
        states = list(spectra.unbind(1))
        terms: list[list[Tensor]] = [[] for _ in states]
        slopes = _transform(_at_lags(gradient, ctx.size, ctx.ranges), ctx.size).unbind(1)
        for (first, second), slope in zip(ctx.pairs, slopes, strict=True):
            if first == second:
                terms[first].append(_scaled(states[first], 2 * slope.real))
            else:
                terms[first].append(slope.conj() * states[second])
                terms[second].append(slope * states[first])
        totals = [sum(some[1:], some[0]) if some else torch.zeros_like(states[0]) for some in terms]
        axes = tuple(range(2, fields.ndim))
        result = torch.fft.irfftn(torch.stack(totals, 1), s=ctx.size, dim=axes)
        return result[(..., *(slice(n) for n in fields.shape[2:]))], None, None, None


def _transform(values: Tensor, size: tuple[int, ...]) -> Tensor:
    return torch.fft.rfftn(values, s=size, dim=tuple(range(2, values.ndim)))


def lags_of(power: Tensor, size: tuple[int, ...], ranges: Ranges, out: Tensor | None = None) -> Tensor:
    """Inverse transform, axis by axis where lags that nobody asked for are dropped before the next.

    Parameters
    ----------
    power : Tensor ``(sample, *frequency)``
        Half spectrum, as ``rfftn`` gives it.
    size, ranges
        As in `pair_sums`.
    out : Tensor ``(sample, *lag)``, optional
        Where the result goes; it then has no gradient.

    Returns
    -------
    Tensor ``(sample, *lag)``
        Negative lags first.
    """
    if out is not None and all(negative + positive == n for n, (negative, positive) in zip(size, ranges, strict=True)):
        sums = torch.fft.irfftn(power, s=size, dim=tuple(range(1, power.ndim)))
        return _centred(sums, ranges, out)
    for axis, (n, (negative, positive)) in enumerate(zip(size, ranges, strict=True), start=1):
        last = axis == len(size)
        power = torch.fft.irfft(power, n=n, dim=axis) if last else torch.fft.ifft(power, dim=axis)
        if negative + positive == n:
            power = torch.roll(power, negative, axis)
        else:
            power = torch.cat([power.narrow(axis, n - negative, negative), power.narrow(axis, 0, positive)], dim=axis)
    return power if out is None else out.copy_(power)


def _centred(sums: Tensor, ranges: Ranges, out: Tensor) -> Tensor:
    """Copy with the zero lag in the middle; orthant by orthant touches every value once, a roll an axis more often."""
    for signs in itertools.product((False, True), repeat=len(ranges)):
        source, target = sums, out
        for axis, (negates, (negative, positive)) in enumerate(zip(signs, ranges, strict=True), start=1):
            source = source.narrow(axis, positive, negative) if negates else source.narrow(axis, 0, positive)
            target = target.narrow(axis, 0, negative) if negates else target.narrow(axis, negative, positive)
        target.copy_(source)
    return out


def _power(first: Tensor, second: Tensor, same: bool) -> Tensor:
    if same:
        return torch.view_as_real(first).square().sum(-1)
    return first.conj() * second


def _scaled(values: Tensor, factors: Tensor) -> Tensor:
    # A complex times a real tensor would first make the real one complex.
    return torch.view_as_complex(torch.view_as_real(values) * factors.unsqueeze(-1))


def _at_lags(values: Tensor, size: tuple[int, ...], ranges: Ranges) -> Tensor:
    """Values ``(sample, pair, *lag)`` on the grid of the transform, zero at all other lags: `lags_of` backwards."""
    for axis, (n, (negative, positive)) in enumerate(zip(size, ranges, strict=True), start=2):
        if negative + positive == n:
            values = torch.roll(values, -negative, axis)
            continue
        shape = list(values.shape)
        shape[axis] = n - negative - positive
        ends = values.narrow(axis, negative, positive), values.new_zeros(shape), values.narrow(axis, 0, negative)
        values = torch.cat(ends, dim=axis)
    return values
