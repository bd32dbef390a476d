"""Registration of structures: 2-point statistics determine neither position nor, for autocorrelations, inversion."""

from __future__ import annotations

import torch
from torch import Tensor


def align(target: Tensor, output: Tensor, *, invert: bool = True) -> Tensor:
    """Shift each periodic target onto an output, and point-invert it where that fits better.

    Shifts leave the 2-point statistics of a periodic structure unchanged. The best one is the position of the peak of
    the cross-correlation, computed by FFT.

    Parameters
    ----------
    target, output : Tensor ``(sample, state, *space)``
        State fields on the same periodic grid.
    invert : bool
        Whether ``x -> -x`` leaves the statistics unchanged: true for autocorrelations, false for cross-correlations.

    Returns
    -------
    Tensor ``(sample, state, *space)``
        Registered targets.
    """
    # One of two phases is enough: the other adds the same correlation and a constant.
    if target.shape[1] == 2:
        registered = align(target[:, 1:], output[:, 1:], invert=invert)
        return torch.cat([1 - registered, registered], dim=1)
    space = target.shape[2:]
    axes = tuple(range(2, target.ndim))
    with torch.no_grad():
        spectrum, other = torch.fft.rfftn(target, dim=axes), torch.fft.rfftn(output.detach(), dim=axes)
        choices = [spectrum.conj() * other]
        if invert:
            choices.append(spectrum * other)
        summed = torch.stack(choices, 1).sum(2)
        best = torch.fft.irfftn(summed, s=space, dim=axes).flatten(1).argmax(1)
        n_voxels = target[0, 0].numel()
        inverted, shift = best >= n_voxels, best % n_voxels
        source = _source(space, shift, inverted).unsqueeze(1).expand(-1, target.shape[1], -1)
        return target.flatten(2).gather(2, source).view(target.shape)


def _source(space: torch.Size, shift: Tensor, inverted: Tensor) -> Tensor:
    """Flat index ``(sample, voxel)`` from which each voxel of the registered target is taken."""
    steps = torch.unravel_index(shift, space)
    sign = torch.where(inverted, -1, 1).unsqueeze(1)
    index = torch.zeros(len(shift), 1, dtype=torch.long, device=shift.device)
    for n, step in zip(space, steps, strict=True):
        along = (sign * (torch.arange(n, device=shift.device) - step.unsqueeze(1))) % n
        index = (index.unsqueeze(2) * n + along.unsqueeze(1)).flatten(1)
    return index
