"""Downhill in a few numbers a sample, for many samples at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def descend(
    error_of: Callable[..., Tensor], start: Sequence[Tensor], rates: Sequence[float], steps: int
) -> list[Tensor]:
    """Adam on each sample's error, with steps that fall to zero along a cosine.

    Parameters
    ----------
    error_of : callable
        Takes tensors such as those of `start`, ``(sample, ...)``, to errors ``(sample,)``, each of which depends on
        its own sample only.
    start : sequence of Tensor
    rates : sequence of float
        Largest step of each.
    steps : int

    Returns
    -------
    list of Tensor
        Where each sample got.
    """
    with torch.enable_grad():
        moved = [one.detach().clone().requires_grad_() for one in start]
        optimizer = torch.optim.Adam([{"params": [one], "lr": rate} for one, rate in zip(moved, rates, strict=True)])
        for step in range(steps):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * step / steps))
            for one, slope in zip(moved, torch.autograd.grad(error_of(*moved).sum(), moved), strict=True):
                one.grad = slope
            optimizer.step()
    return [one.detach() for one in moved]
