"""Sums over voxel pairs with an analytical gradient, which needs fewer transforms than automatic differentiation.

For the sums s[r] = sum_x a[x] b[x + r] with the incoming gradient g[r], the chain rule gives sums of the same kind,

    gradient of a[x]: sum_r g[r] b[x + r],        gradient of b[x]: sum_r g[r] a[x - r],

so a backward pass takes one real transform per pair and one inverse transform per state, and reuses the spectra of the
forward pass.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .correlations import Pairs

# Fraction of lags kept from which on one transform of all axes takes less time than dropping lags between axes.
MOSTLY = 0.9
Ranges = Sequence[tuple[int, int]]


def pair_sums(fields: Tensor, pairs: Pairs, size: tuple[int, ...], ranges: Ranges) -> Tensor:
    """Sums over voxel pairs at every lag, differentiable to any order.

    Parameters
    ----------
    fields : Tensor ``(sample, state, *space)``
        Value of each state at each voxel.
    pairs : sequence of (int, int)
        Indices on the state axis.
    size : tuple of int
        Shape of the Fourier transform.
    ranges : sequence of (int, int)
        Numbers of negative and of non-negative lags along each axis.

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
            # Second derivatives need the spectra as functions of the fields.
            spectra = _transform(fields, ctx.size)
        states = list(spectra.unbind(1))
        terms: list[list[Tensor]] = [[] for _ in states]
        gradient_spectra = _transform(_at_lags(gradient, ctx.size, ctx.ranges), ctx.size).unbind(1)
        for (first, second), spectrum in zip(ctx.pairs, gradient_spectra, strict=True):
            if first == second:
                terms[first].append(_scaled(states[first], 2 * spectrum.real))
            else:
                terms[first].append(spectrum.conj() * states[second])
                terms[second].append(spectrum * states[first])
        totals = [sum(summands[1:], summands[0]) if summands else torch.zeros_like(states[0]) for summands in terms]
        axes = tuple(range(2, fields.ndim))
        result = torch.fft.irfftn(torch.stack(totals, 1), s=ctx.size, dim=axes)
        return result[(..., *(slice(n) for n in fields.shape[2:]))], None, None, None


def _transform(values: Tensor, size: tuple[int, ...]) -> Tensor:
    return torch.fft.rfftn(values, s=size, dim=tuple(range(2, values.ndim)))


def lags_of(power: Tensor, size: tuple[int, ...], ranges: Ranges, out: Tensor | None = None) -> Tensor:
    """Inverse transform of a power spectrum, axis by axis if a cutoff drops lags along each axis before the next.

    Parameters
    ----------
    power : Tensor ``(sample, *frequency)``
        Half spectrum, as returned by ``rfftn``.
    size, ranges
        As in `pair_sums`.
    out : Tensor ``(sample, *lag)``, optional
        Memory for the result, which then has no gradient.

    Returns
    -------
    Tensor ``(sample, *lag)``
        Negative lags first.
    """
    kept = math.prod(negative + positive for negative, positive in ranges)
    if out is not None and kept >= MOSTLY * math.prod(size):
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
    """Copy with zero lag at the centre, orthant by orthant: moves each value once, rolling would once per axis."""
    for signs in itertools.product((False, True), repeat=len(ranges)):
        source, target = sums, out
        for axis, (negates, (negative, positive)) in enumerate(zip(signs, ranges, strict=True), start=1):
            n = source.shape[axis]
            source = source.narrow(axis, n - negative, negative) if negates else source.narrow(axis, 0, positive)
            target = target.narrow(axis, 0, negative) if negates else target.narrow(axis, negative, positive)
        target.copy_(source)
    return out


def _power(first: Tensor, second: Tensor, same: bool) -> Tensor:
    if same:
        return torch.view_as_real(first).square().sum(-1)
    return first.conj() * second


def _scaled(values: Tensor, factors: Tensor) -> Tensor:
    # The product of a complex and a real tensor would first convert the real one to complex.
    return torch.view_as_complex(torch.view_as_real(values) * factors.unsqueeze(-1))


def _at_lags(values: Tensor, size: tuple[int, ...], ranges: Ranges) -> Tensor:
    """Values ``(sample, pair, *lag)`` on the grid of the transform, zero at other lags: the adjoint of `lags_of`."""
    for axis, (n, (negative, positive)) in enumerate(zip(size, ranges, strict=True), start=2):
        if negative + positive == n:
            values = torch.roll(values, -negative, axis)
            continue
        shape = list(values.shape)
        shape[axis] = n - negative - positive
        ends = values.narrow(axis, negative, positive), values.new_zeros(shape), values.narrow(axis, 0, negative)
        values = torch.cat(ends, dim=axis)
    return values
