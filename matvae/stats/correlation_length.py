"""Correlation length: the distance over which a phase remembers where it is, along an axis or in all directions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..grid import voxel_edges
from .dispatch import map_phases
from .form import form_of
from .lags import check_periodic, lag_shape
from .of_structures import of_structures
from .radial import lag_radii, radial_average
from .segments import resolve_axes
from .two_point_stats import two_point_stats

# Normalised autocovariance at the correlation length, as for exp(-r / length).
DECAY = math.exp(-1)
# A phase that fills (nearly) all voxels or none has no autocovariance.
LEAST_VARIANCE = 1e-9


@of_structures
def correlation_length(
    X: Any,
    *,
    state_axis: int | None = None,
    phases: int | str = "auto",
    periodic: bool = True,
    axis: int | None = None,
    voxel_size: float | Sequence[float] | None = None,
) -> Any:
    """Lag at which the autocovariance of every phase falls to 1/e of the variance.

    Parameters
    ----------
    X, state_axis, phases, periodic
        As in `two_point_stats`.
    axis : int, optional
        Spatial axis along which lags lie. None takes the average over all directions, up to half the shortest side.
    voxel_size : float or sequence of float, optional
        Edge length of a voxel along each axis. The result is in its unit, by default in voxels.

    Returns
    -------
    array ``(sample, phase)``
        Same kind as X. NaN where the autocovariance does not fall to 1/e within half the structure, or where the
        structure consists of one phase.

    Raises
    ------
    InputError
        As in `two_point_stats`, or for an axis that does not exist.

    Notes
    -----
    The autocovariance is ``S2(r) - S2(0)^2``, where S2 is the autocorrelation of the phase; it is interpolated linearly
    between lags. For a random medium with ``exp(-r / a)`` (Debye, Anderson & Brumberger, Journal of Applied Physics 28,
    679 (1957)) the correlation length is a.
    """
    form = form_of(X, phases, state_axis)
    check_periodic(periodic)
    resolve_axes(axis, len(form.space))
    edges = voxel_edges(voxel_size, len(form.space)) or (1.0,) * len(form.space)

    def length(field: Tensor, _: Tensor | None) -> Tensor:
        lengths, decays = decay_length(*autocovariance_profile(field, axis, periodic=periodic, voxel_size=edges))
        return torch.where(decays, lengths, torch.nan)

    return map_phases(X, form, phases, length, ())


def autocovariance_profile(
    field: Tensor, axis: int | None, *, periodic: bool, voxel_size: Sequence[float]
) -> tuple[Tensor, Tensor]:
    """Autocovariance of a field against distance.

    Parameters
    ----------
    field : Tensor ``(sample, *space)``
        Value at each voxel.
    axis : int or None
        Spatial axis along which lags lie, or None for the average over all directions.
    periodic : bool
        Whether structures continue on their opposite side.
    voxel_size : sequence of float
        Edge length of a voxel along each axis.

    Returns
    -------
    autocovariance : Tensor ``(sample, radius)``
        From lag 0 to half the structure.
    radii : Tensor ``(radius,)``
        In the unit of the voxel size.
    """
    space = field.shape[1:]
    mean = field.flatten(1).mean(1, keepdim=True)
    if axis is not None:
        autocorrelation = _along_axis(field, axis % len(space) + 1, periodic)
        lags = torch.arange(autocorrelation.shape[1], dtype=field.dtype, device=field.device)
        return autocorrelation - mean.square(), lags * voxel_size[axis]
    max_radius = min(n * size for n, size in zip(space, voxel_size, strict=True)) / 2
    # The explicit state axis matters: a tensor with 16 columns or fewer could be taken for discretised states.
    S2 = two_point_stats(field.unsqueeze(1), spatial_dims=len(space), state_axis=1, periodic=periodic)
    average = radial_average(S2, max_radius=max_radius, voxel_size=voxel_size)[..., 0]
    radii = lag_radii(lag_shape(space, periodic), max_radius=max_radius, voxel_size=voxel_size)
    return average - mean.square(), torch.from_numpy(radii).to(average)


def decay_length(autocovariance: Tensor, radii: Tensor) -> tuple[Tensor, Tensor]:
    """Distance at which the autocovariance falls to 1/e of that at zero lag.

    Parameters
    ----------
    autocovariance : Tensor ``(sample, radius)``
    radii : Tensor ``(radius,)``

    Returns
    -------
    lengths : Tensor ``(sample,)``
        The largest radius where the autocovariance does not fall to 1/e.
    decays : Tensor ``(sample,)`` of bool
        Whether it does.
    """
    variance = autocovariance[:, :1]
    normalised = autocovariance / variance.clamp(min=LEAST_VARIANCE)
    is_below = normalised <= DECAY
    decays = is_below.any(1) & (variance[:, 0] > LEAST_VARIANCE)
    # Interpolate between the first radius below the threshold and the one before it.
    index = is_below.int().argmax(1).clamp(min=1).clamp(max=len(radii) - 1)
    rows = torch.arange(len(normalised), device=normalised.device)
    above, below = normalised[rows, index - 1], normalised[rows, index]
    weight = ((above - DECAY) / (above - below).clamp(min=LEAST_VARIANCE)).clamp(0, 1)
    lengths = radii[index - 1] + weight * (radii[index] - radii[index - 1])
    return torch.where(decays, lengths, radii[-1]), decays


def _along_axis(field: Tensor, axis: int, periodic: bool) -> Tensor:
    """Autocorrelation ``(sample, lag)`` at lags 0 to N//2 along an axis, from transforms of its lines alone."""
    n = field.shape[axis]
    kept = n // 2 + 1
    lines = field.movedim(axis, -1)
    size = n if periodic else n + kept - 1
    spectrum = torch.fft.rfft(lines, n=size)
    power = torch.view_as_real(spectrum).square().sum(-1)
    # Sums over thousands of lines would lose digits in single precision, but Apple's GPUs have no double precision.
    wide = power if power.device.type == "mps" else power.double()
    total = wide.flatten(1, -2).sum(1) if wide.ndim > 2 else wide
    sums = torch.fft.irfft(total, n=size)[:, :kept]
    lags = torch.arange(kept, dtype=sums.dtype, device=sums.device)
    counts = (n if periodic else n - lags) * (field[0].numel() / n)
    return (sums / counts).to(field.dtype)
